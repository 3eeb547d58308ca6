"use strict";
/* include page.js */
/* include token.js */
/* include docs_model.js */
/* include docs_view.js */
/* include docs.js */
