#include "assets.h"

// C23 #embed: the compiler lists each file in its dependency file, so an edited asset is compiled again.
// A new file needs its two lines here; the console's tests fail when one is missing.

EMBEDDED(console_css, "console.css") = {
#embed "assets/console.css"
};
EMBEDDED(console_js, "console.js") = {
#embed "assets/console.js"
};
EMBEDDED(favicon_svg, "favicon.svg") = {
#embed "assets/favicon.svg"
};
EMBEDDED(openapi_json, "openapi.json") = {
#embed "assets/openapi.json"
};
EMBEDDED(layout_mustache, "layout.mustache") = {
#embed "assets/layout.mustache"
};
EMBEDDED(incidents_mustache, "incidents.mustache") = {
#embed "assets/incidents.mustache"
};
EMBEDDED(views_mustache, "views.mustache") = {
#embed "assets/views.mustache"
};
EMBEDDED(incident_mustache, "incident.mustache") = {
#embed "assets/incident.mustache"
};
EMBEDDED(metrics_mustache, "metrics.mustache") = {
#embed "assets/metrics.mustache"
};
EMBEDDED(on_call_mustache, "on-call.mustache") = {
#embed "assets/on-call.mustache"
};
EMBEDDED(sources_mustache, "sources.mustache") = {
#embed "assets/sources.mustache"
};
EMBEDDED(rules_mustache, "rules.mustache") = {
#embed "assets/rules.mustache"
};
EMBEDDED(leases_mustache, "leases.mustache") = {
#embed "assets/leases.mustache"
};
EMBEDDED(lease_mustache, "lease.mustache") = {
#embed "assets/lease.mustache"
};
EMBEDDED(lease_new_mustache, "lease-new.mustache") = {
#embed "assets/lease-new.mustache"
};
EMBEDDED(silences_mustache, "silences.mustache") = {
#embed "assets/silences.mustache"
};
EMBEDDED(silence_mustache, "silence.mustache") = {
#embed "assets/silence.mustache"
};
EMBEDDED(silence_new_mustache, "silence-new.mustache") = {
#embed "assets/silence-new.mustache"
};
EMBEDDED(run_mustache, "run.mustache") = {
#embed "assets/run.mustache"
};
EMBEDDED(runs_mustache, "runs.mustache") = {
#embed "assets/runs.mustache"
};
EMBEDDED(hunts_mustache, "hunts.mustache") = {
#embed "assets/hunts.mustache"
};
EMBEDDED(hunt_mustache, "hunt.mustache") = {
#embed "assets/hunt.mustache"
};
EMBEDDED(sign_in_mustache, "sign-in.mustache") = {
#embed "assets/sign-in.mustache"
};
EMBEDDED(setup_mustache, "setup.mustache") = {
#embed "assets/setup.mustache"
};
EMBEDDED(accounts_mustache, "accounts.mustache") = {
#embed "assets/accounts.mustache"
};
EMBEDDED(account_mustache, "account.mustache") = {
#embed "assets/account.mustache"
};
EMBEDDED(invitation_mustache, "invitation.mustache") = {
#embed "assets/invitation.mustache"
};
EMBEDDED(code_mustache, "code.mustache") = {
#embed "assets/code.mustache"
};
EMBEDDED(second_factor_mustache, "second-factor.mustache") = {
#embed "assets/second-factor.mustache"
};
EMBEDDED(error_mustache, "error.mustache") = {
#embed "assets/error.mustache"
};
EMBEDDED(journal_mustache, "journal.mustache") = {
#embed "assets/journal.mustache"
};
EMBEDDED(proof_mustache, "proof.mustache") = {
#embed "assets/proof.mustache"
};
EMBEDDED(evidence_mustache, "evidence.mustache") = {
#embed "assets/evidence.mustache"
};
EMBEDDED(finding_mustache, "finding.mustache") = {
#embed "assets/finding.mustache"
};
EMBEDDED(severity_mustache, "severity.mustache") = {
#embed "assets/severity.mustache"
};
EMBEDDED(acknowledge_mustache, "acknowledge.mustache") = {
#embed "assets/acknowledge.mustache"
};
EMBEDDED(time_mustache, "time.mustache") = {
#embed "assets/time.mustache"
};

static const struct embedded_file all[] = {
    ASSET(console_css),
    ASSET(console_js),
    ASSET(favicon_svg),
    ASSET(openapi_json),
    ASSET(layout_mustache),
    ASSET(incidents_mustache),
    ASSET(views_mustache),
    ASSET(incident_mustache),
    ASSET(metrics_mustache),
    ASSET(on_call_mustache),
    ASSET(sources_mustache),
    ASSET(rules_mustache),
    ASSET(leases_mustache), ASSET(lease_mustache), ASSET(lease_new_mustache), ASSET(run_mustache), ASSET(runs_mustache),
    ASSET(silences_mustache),
    ASSET(silence_mustache),
    ASSET(silence_new_mustache),
    ASSET(hunts_mustache),
    ASSET(hunt_mustache),
    ASSET(sign_in_mustache),
    ASSET(setup_mustache),
    ASSET(accounts_mustache),
    ASSET(account_mustache),
    ASSET(invitation_mustache),
    ASSET(acknowledge_mustache),
    ASSET(code_mustache),
    ASSET(second_factor_mustache),
    ASSET(error_mustache),
    ASSET(journal_mustache),
    ASSET(proof_mustache),
    ASSET(evidence_mustache),
    ASSET(finding_mustache),
    ASSET(severity_mustache),
    ASSET(time_mustache),
};

const struct embedded_file *console_assets(void) { return all; }

size_t console_asset_count(void) { return sizeof all / sizeof all[0]; }
