package diff

// rulesOfArmor are rules of a security policy by their priority.
var rulesOfArmor = set(object(map[string]canon{
	"priority": number, "action": fold, "preview": yes, "match.versioned_expr|match.versionedExpr": fold, "match.expr.expression": spaced,
	"match.config.src_ip_ranges|match.config.srcIpRanges": prefixesOrAll,
}))

// prefixesOrAll are ranges where "*" is every one.
func prefixesOrAll(v any) (string, error) {
	list, err := listed(v, text)
	if err == nil && len(list) == 1 && list[0] == "*" {
		return "*", nil
	}
	if err != nil {
		return "", err
	}
	return prefixes(v)
}

// networks are kinds that let traffic in or keep it out.
var networks = map[string]kind{
	"google_compute_firewall": {asset: "compute.googleapis.com/Firewall", name: "projects/{project}/global/firewalls/{name}", fields: []field{
		{want: "network", got: "network", is: link, severity: high},
		{want: "direction", got: "direction", is: fold, fallback: "INGRESS", severity: high},
		{want: "priority", got: "priority", is: number, fallback: "1000", severity: high},
		{want: "disabled", got: "disabled", is: flag, severity: high},
		{want: "allow", got: "allowed|alloweds", is: protocols, toward: opened, severity: critical},
		{want: "deny", got: "denied|denieds", is: protocols, toward: func(w, g string) Direction { return opened(g, w) }, severity: critical},
		{want: "source_ranges", got: "sourceRanges|sourceRange", is: prefixes, toward: reachOrAll, severity: critical},
		{want: "destination_ranges", got: "destinationRanges|destinationRange", is: prefixes, toward: reachOrAll, severity: high},
		{want: "source_tags", got: "sourceTags|sourceTag", is: set(text), toward: wider, severity: high},
		{want: "target_tags", got: "targetTags|targetTag", is: set(text), severity: high},
		{want: "source_service_accounts", got: "sourceServiceAccounts|sourceServiceAccount", is: set(mail), toward: wider, severity: high},
		{want: "target_service_accounts", got: "targetServiceAccounts|targetServiceAccount", is: set(mail), severity: high},
		{want: "log_config.metadata", got: "logConfig.metadata", is: fold, severity: low},
		{want: "description", got: "description", is: text, severity: low},
	}, ignored: []string{"enable_logging", "params"}},
	"google_compute_ssl_policy": {asset: "compute.googleapis.com/SslPolicy", name: "projects/{project}/global/sslPolicies/{name}", fields: []field{
		{want: "profile", got: "profile", is: fold, fallback: "COMPATIBLE", toward: ranked("COMPATIBLE", "MODERN", "RESTRICTED"), severity: high},
		{want: "min_tls_version", got: "minTlsVersion", is: fold, fallback: "TLS_1_0", toward: ranked("TLS_1_0", "TLS_1_1", "TLS_1_2", "TLS_1_3"), severity: critical},
		{want: "custom_features", got: "customFeatures|customFeature", is: set(text), toward: wider, severity: high},
	}, ignored: []string{"enabled_features", "description"}},
	"google_compute_target_https_proxy": {asset: "compute.googleapis.com/TargetHttpsProxy", name: "projects/{project}/global/targetHttpsProxies/{name}", fields: []field{
		{want: "ssl_policy", got: "sslPolicy", is: link, severity: critical},
		{want: "url_map", got: "urlMap", is: link, severity: high},
		{want: "ssl_certificates", got: "sslCertificates|sslCertificate", is: set(link), severity: medium},
		{want: "certificate_map", got: "certificateMap", is: link, severity: medium},
		{want: "quic_override", got: "quicOverride", is: fold, fallback: "NONE", severity: low},
	}, ignored: []string{"proxy_id", "description", "proxy_bind", "tls_early_data", "server_tls_policy", "http_keep_alive_timeout_sec"}},
	"google_compute_security_policy": {asset: "compute.googleapis.com/SecurityPolicy", name: "projects/{project}/global/securityPolicies/{name}", fields: []field{
		{want: "type", got: "type", is: fold, fallback: "CLOUD_ARMOR", severity: high},
		{want: "rule", got: "rules|rule", is: rulesOfArmor, toward: narrower, severity: critical},
		{want: "adaptive_protection_config.layer_7_ddos_defense_config.enable", got: "adaptiveProtectionConfig.layer7DdosDefenseConfig.enable", is: flag, toward: switched("true"), severity: high},
	}, ignored: []string{"description", "advanced_options_config", "recaptcha_options_config"}},
	"google_compute_backend_service": {asset: "compute.googleapis.com/BackendService", name: "projects/{project}/global/backendServices/{name}", fields: []field{
		{want: "security_policy", got: "securityPolicy", is: link, severity: critical},
		{want: "protocol", got: "protocol", is: fold, severity: high},
		{want: "load_balancing_scheme", got: "loadBalancingScheme", is: fold, fallback: "EXTERNAL", severity: high},
		{want: "iap.enabled", got: "iap.enabled", is: flag, toward: switched("true"), severity: critical},
		{want: "log_config.enable", got: "logConfig.enable", is: flag, toward: switched("true"), severity: medium},
	}, ignored: []string{"generated_id", "description", "backend", "timeout_sec", "port_name", "session_affinity", "connection_draining_timeout_sec", "affinity_cookie_ttl_sec", "enable_cdn",
		"iap.oauth2_client_id", "iap.oauth2_client_secret", "iap.oauth2_client_secret_sha256", "locality_lb_policy", "health_checks", "custom_request_headers", "custom_response_headers", "log_config.sample_rate"}},
	"google_compute_network": {asset: "compute.googleapis.com/Network", name: "projects/{project}/global/networks/{name}", fields: []field{
		{want: "auto_create_subnetworks", got: "autoCreateSubnetworks", is: flag, toward: switched("false"), severity: medium},
		{want: "routing_mode", got: "routingConfig.routingMode", is: fold, fallback: "REGIONAL", severity: low},
	}, ignored: []string{"mtu", "description", "gateway_ipv4", "network_id", "numeric_id", "internal_ipv6_range", "delete_default_routes_on_create", "network_firewall_policy_enforcement_order",
		"enable_ula_internal_ipv6", "bgp_best_path_selection_mode"}},
	"google_compute_subnetwork": {asset: "compute.googleapis.com/Subnetwork", name: "projects/{project}/regions/{region}/subnetworks/{name}", fields: []field{
		{want: "ip_cidr_range", got: "ipCidrRange", is: prefixes, severity: medium},
		{want: "network", got: "network", is: link, severity: high},
		{want: "private_ip_google_access", got: "privateIpGoogleAccess", is: flag, severity: low},
		{want: "log_config.aggregation_interval", got: "logConfig.aggregationInterval", is: fold, severity: medium},
		{want: "purpose", got: "purpose", is: fold, fallback: "PRIVATE", severity: low},
	}, ignored: []string{"region", "description", "gateway_address", "stack_type", "private_ipv6_google_access", "secondary_ip_range", "subnetwork_id", "log_config.flow_sampling", "log_config.metadata", "log_config.filter_expr", "role"}},
}
