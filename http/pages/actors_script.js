"use strict";
/* include page.js */
/* include actors.js */
