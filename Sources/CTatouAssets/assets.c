#include "tatou_assets.h"

// C23 #embed: the compiler lists each file in its dependency file, so an edited asset is compiled again.
// A new file needs its two lines here; the tests of the pages fail when one is missing.

EMBEDDED(index_html, "index.html") = {
#embed "assets/index.html"
};
EMBEDDED(favicon_svg, "favicon.svg") = {
#embed "assets/favicon.svg"
};
EMBEDDED(tatou_css, "tatou.css") = {
#embed "assets/tatou.css"
};
EMBEDDED(tatou_js, "tatou.js") = {
#embed "assets/tatou.js"
};
EMBEDDED(api_js, "api.js") = {
#embed "assets/api.js"
};
EMBEDDED(dom_js, "dom.js") = {
#embed "assets/dom.js"
};
EMBEDDED(drop_js, "drop.js") = {
#embed "assets/drop.js"
};
EMBEDDED(sign_in_js, "sign-in.js") = {
#embed "assets/sign-in.js"
};
EMBEDDED(documents_js, "documents.js") = {
#embed "assets/documents.js"
};
EMBEDDED(document_js, "document.js") = {
#embed "assets/document.js"
};
EMBEDDED(trace_js, "trace.js") = {
#embed "assets/trace.js"
};
EMBEDDED(openapi_json, "openapi.json") = {
#embed "assets/openapi.json"
};

static const struct embedded_file all[] = {
    ASSET(index_html), ASSET(favicon_svg), ASSET(tatou_css), ASSET(tatou_js), ASSET(api_js), ASSET(dom_js),
    ASSET(drop_js), ASSET(sign_in_js), ASSET(documents_js), ASSET(document_js), ASSET(trace_js), ASSET(openapi_json),
};

const struct embedded_file *tatou_assets(void) { return all; }

size_t tatou_asset_count(void) { return sizeof all / sizeof all[0]; }
