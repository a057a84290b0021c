package rules

import (
	"slices"
	"strings"

	"ostiary.internal/terraform/plan"
)

var edgeRules = []Rule{
	{"staff-behind-iap", "Functions for staff stand behind Identity-Aware Proxy, and no others do.", "environments/", staffBehindIAP},
	{"edge", "Every function that is called from outside has a backend of its own behind Cloud Armor; no other has one.", "environments/", atTheEdge},
	{"paths", "A path leads to a function that is called from outside, under its own name, and every such function has one.", "environments/", paths},
	{"encrypted", "What comes in is encrypted with TLS 1.2 or newer; a request that is not is sent on to where it is.", "environments/", encrypted},
	{"client-address", "The caller's address is what the load balancer saw, whatever the caller says.", "environments/", clientAddress},
}

// behind is the function a backend leads to: the one whose name it is kept under.
func (in Input) behind(b *plan.Resource) (Manifest, bool) { return in.manifest(b.Key) }

// deadEnd tells whether a backend leads nowhere: hosts and paths that nobody has end there.
func deadEnd(b *plan.Resource) bool { return len(b.List("backend")) == 0 && !b.Later("backend") }

func staffBehindIAP(l *look) {
	admitted := map[*plan.Resource]bool{}
	for _, r := range l.members() {
		if !strings.HasPrefix(r.Type, "google_iap_") {
			continue
		}
		l.seen++
		b := l.the(backend, r, "web_backend_service")
		if r.Type != "google_iap_web_backend_service_iam_member" || r.Text("role") != "roles/iap.httpsResourceAccessor" || b == nil {
			l.wrong(r, "lets %s through to something else than one backend", r.Text("member"))
			continue
		}
		if m, known := l.behind(b); !known || m.Callers != "staff" {
			l.wrong(r, "lets %s through to what is not for staff", r.Text("member"))
		}
		admitted[b] = true
	}
	for _, b := range l.of(backend) {
		m, known := l.behind(b)
		through := b.True("iap", "enabled")
		switch {
		case known && m.Callers == "staff" && !through:
			l.wrong(b, "is for staff, and anybody comes through: enable iap")
		case (!known || m.Callers != "staff") && through:
			l.wrong(b, "asks who calls, though %s is not for staff: nobody would come through", b.Key)
		case through && !admitted[b]:
			l.wrong(b, "lets nobody through: name the staff")
		}
		if b.Text("iap", "oauth2_client_secret") != "" {
			l.wrong(b, "holds the secret of an OAuth client: Google keeps its own")
		}
	}
}

func atTheEdge(l *look) {
	has := map[string]bool{}
	for _, b := range l.of(backend) {
		if deadEnd(b) {
			continue
		}
		m, known := l.behind(b)
		if !known || m.Callers == "machine" {
			l.wrong(b, "leads to %q, which nobody outside may call", b.Key)
			continue
		}
		has[m.Name] = true
		if scheme := b.Text("load_balancing_scheme"); scheme != "EXTERNAL_MANAGED" {
			l.wrong(b, "load_balancing_scheme is %q: write EXTERNAL_MANAGED", scheme)
		}
		if l.the("google_compute_security_policy", b, "security_policy") == nil {
			l.wrong(b, "has no Cloud Armor policy of this plan: nothing holds floods off it")
		}
		if len(b.List("log_config")) == 0 {
			l.wrong(b, "does not say whether who came is logged: write a log_config")
		}
		group := l.the("google_compute_region_network_endpoint_group", b, "backend", "group")
		switch {
		case group == nil:
			l.wrong(b, "leads to no one network endpoint group of this plan")
		case group.Text("cloud_run", "service") != m.Name || group.Text("cloud_run", "url_mask") != "" || group.Text("cloud_run", "tag") != "":
			l.wrong(b, "leads to %s, and not to %s as it is released: name the service, and neither a mask nor a tag", group.Address, m.Name)
		}
	}
	for _, m := range l.Manifests {
		if m.Callers != "machine" && l.deployed(m.Name) != nil && !has[m.Name] {
			l.missing(m.Name, "is called from outside, and no backend leads to it")
		}
	}
}

// paths holds the load balancer's paths to names of functions. Which backend a path leads to is only known after the apply: Google
// tries the tests of the map itself.
func paths(l *look) {
	led := map[string]bool{}
	for _, m := range l.of("google_compute_url_map") {
		for _, matcher := range m.List("path_matcher") {
			rules, _ := matcher.(map[string]any)["path_rule"].([]any)
			for _, rule := range rules {
				fields, _ := rule.(map[string]any)
				list, _ := fields["paths"].([]any)
				for _, path := range list {
					text, _ := path.(string)
					led[text] = true
					name, _, _ := strings.Cut(strings.TrimPrefix(text, "/"), "/")
					redirects, _ := fields["url_redirect"].([]any)
					if f, known := l.manifest(name); (!known || f.Callers == "machine") && (fields["service"] != nil || len(redirects) == 0) {
						l.wrong(m, "%s leads to no function that is called from outside", text)
					}
				}
			}
		}
	}
	for _, m := range l.Manifests {
		if m.Callers != "machine" && l.deployed(m.Name) != nil && !(led["/"+m.Name] && led["/"+m.Name+"/*"]) {
			l.missing(m.Name, "is called from outside, and no path leads to it: /%s and /%s/*", m.Name, m.Name)
		}
	}
}

func encrypted(l *look) {
	for _, p := range l.of("google_compute_target_https_proxy") {
		s := l.the("google_compute_ssl_policy", p, "ssl_policy")
		if s == nil {
			l.wrong(p, "takes any version of TLS: give it an SSL policy of this plan")
			continue
		}
		if !slices.Contains([]string{"TLS_1_2", "TLS_1_3"}, s.Text("min_tls_version")) || !slices.Contains([]string{"MODERN", "RESTRICTED", "FIPS_202205"}, s.Text("profile")) {
			l.wrong(s, "takes %q with ciphers %q: TLS_1_2 and MODERN at least", s.Text("min_tls_version"), s.Text("profile"))
		}
	}
	for _, p := range l.of("google_compute_target_http_proxy") {
		m := l.the("google_compute_url_map", p, "url_map")
		if m == nil || !m.True("default_url_redirect", "https_redirect") || len(m.List("path_matcher")) > 0 || len(m.List("host_rule")) > 0 {
			l.wrong(p, "answers what is not encrypted: send every request on to https")
		}
	}
	for _, f := range l.of("google_compute_global_forwarding_rule") {
		if scheme := f.Text("load_balancing_scheme"); scheme != "EXTERNAL_MANAGED" {
			l.wrong(f, "load_balancing_scheme is %q: write EXTERNAL_MANAGED", scheme)
		}
		secure := l.the("google_compute_target_https_proxy", f, "target") != nil
		if ports := f.Text("port_range"); secure && ports != "443" && ports != "443-443" || !secure && ports != "80" && ports != "80-80" {
			l.wrong(f, "listens on %q: 443, and 80 to send on", ports)
		}
	}
}

// saw is the header that the load balancer writes the address of its client in; functions read no other.
const saw = "X-Ostiary-Client:{client_ip_address}"

func clientAddress(l *look) {
	for _, b := range l.of(backend) {
		if !deadEnd(b) && !slices.ContainsFunc(b.Texts("custom_request_headers"), func(h string) bool { return strings.ReplaceAll(h, " ", "") == saw }) {
			l.wrong(b, "does not write %s: a caller could say any address of itself", saw)
		}
	}
	for _, f := range l.of(function) {
		m, _ := l.manifest(f.Text("name"))
		said := f.Text("service_config", "environment_variables", "OSTIARY_CLIENT_ADDRESS")
		if slices.Contains(m.Environment, "OSTIARY_CLIENT_ADDRESS") && said != "header:X-Ostiary-Client" {
			l.wrong(f, "reads its caller's address from %q, which the load balancer does not write", said)
		}
	}
}
