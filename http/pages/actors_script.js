"use strict";
/* include page.js */
/* include token.js */
/* include actors.js */
