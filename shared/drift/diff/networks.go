package diff

// rulesOfArmor are rules of a security policy by their priority.
var rulesOfArmor = set(object(map[string]canon{
	"priority": number, "action": fold, "preview": yes, "match.versioned_expr|match.versionedExpr": fold, "match.expr.expression": spaced,
	"match.config.src_ip_ranges|match.config.srcIpRanges":                            prefixesOrAll,
	"preconfigured_waf_config.exclusion|preconfiguredWafConfig.exclusions":           set(leftOut),
	"rate_limit_options.enforce_on_key_configs|rateLimitOptions.enforceOnKeyConfigs": set(object(nil)),
	"header_action.request_headers_to_adds|headerAction.requestHeadersToAdds":        set(object(nil)),
}, "description", "kind", "rule_number", "match.expr.title", "match.expr.description", "match.expr.location"))

// leftOut is what the rules of a firewall for the web do not look at.
var leftOut = object(map[string]canon{
	"target_rule_set|targetRuleSet": text, "target_rule_ids|targetRuleIds": set(text), "request_header|requestHeadersToExclude": set(matcher),
	"request_cookie|requestCookiesToExclude": set(matcher), "request_uri|requestUrisToExclude": set(matcher), "request_query_param|requestQueryParamsToExclude": set(matcher),
})

var matcher = object(map[string]canon{"operator|op": fold, "value|val": text})

// backends are where a service of a load balancer leads.
var backends = set(object(map[string]canon{"group": link}, "description", "balancing_mode", "capacity_scaler", "preference", "failover", "custom_metrics", "max_utilization",
	"max_connections", "max_connections_per_endpoint", "max_connections_per_instance", "max_rate", "max_rate_per_endpoint", "max_rate_per_instance", "traffic_duration"))

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
		{want: "disabled", got: "disabled", is: flag, weigh: enabled, severity: critical},
		{want: "allow", got: "allowed|alloweds", is: protocols, toward: opened, severity: critical},
		{want: "deny", got: "denied|denieds", is: protocols, toward: func(w, g string) Direction { return opened(g, w) }, severity: critical},
		{want: "source_ranges", got: "sourceRanges|sourceRange", is: prefixes, weigh: sources, severity: critical},
		{want: "destination_ranges", got: "destinationRanges|destinationRange", is: prefixes, weigh: goals, severity: critical},
		{want: "source_tags", got: "sourceTags|sourceTag", is: set(text), weigh: sources, severity: critical},
		{want: "target_tags", got: "targetTags|targetTag", is: set(text), weigh: targets, severity: critical},
		{want: "source_service_accounts", got: "sourceServiceAccounts|sourceServiceAccount", is: set(mail), weigh: sources, severity: critical},
		{want: "target_service_accounts", got: "targetServiceAccounts|targetServiceAccount", is: set(mail), weigh: targets, severity: critical},
		{want: "log_config.metadata", got: "logConfig.metadata", is: fold, severity: low},
		{want: "description", got: "description", is: text, severity: low},
	}, guard: func(v map[string]any) bool { return gateOf(v).deny }, ignored: []string{"enable_logging", "params"}},
	"google_compute_ssl_policy": {asset: "compute.googleapis.com/SslPolicy", name: "projects/{project}/global/sslPolicies/{name}", fields: []field{
		{want: "profile", got: "profile", is: fold, fallback: "COMPATIBLE", toward: ranked("COMPATIBLE", "MODERN", "RESTRICTED"), severity: high},
		{want: "min_tls_version", got: "minTlsVersion", is: fold, fallback: "TLS_1_0", toward: ranked("TLS_1_0", "TLS_1_1", "TLS_1_2", "TLS_1_3"), severity: critical},
		{want: "custom_features", got: "customFeatures|customFeature", is: set(text), toward: wider, severity: high},
	}, guard: guards, ignored: []string{"enabled_features", "description"}},
	"google_compute_target_https_proxy": {asset: "compute.googleapis.com/TargetHttpsProxy", name: "projects/{project}/global/targetHttpsProxies/{name}", fields: []field{
		{want: "ssl_policy", got: "sslPolicy", is: link, toward: guarded, severity: critical},
		{want: "server_tls_policy", got: "serverTlsPolicy", is: link, toward: guarded, severity: critical},
		{want: "tls_early_data", got: "tlsEarlyData", is: fold, fallback: "DISABLED", toward: ranked("UNRESTRICTED", "PERMISSIVE", "STRICT", "DISABLED"), severity: high},
		{want: "url_map", got: "urlMap", is: link, severity: high},
		{want: "ssl_certificates", got: "sslCertificates|sslCertificate", is: set(link), severity: medium},
		{want: "certificate_map", got: "certificateMap", is: link, severity: medium},
		{want: "quic_override", got: "quicOverride", is: fold, fallback: "NONE", severity: low},
	}, ignored: []string{"proxy_id", "description", "proxy_bind", "http_keep_alive_timeout_sec"}},
	"google_compute_security_policy": {asset: "compute.googleapis.com/SecurityPolicy", name: "projects/{project}/global/securityPolicies/{name}", fields: []field{
		{want: "type", got: "type", is: fold, fallback: "CLOUD_ARMOR", severity: high},
		{want: "rule", got: "rules|rule", is: rulesOfArmor, toward: shield, severity: critical},
		{want: "adaptive_protection_config.layer_7_ddos_defense_config.enable", got: "adaptiveProtectionConfig.layer7DdosDefenseConfig.enable", is: flag, toward: switched("true"), severity: high},
		{want: "advanced_options_config.user_ip_request_headers", got: "advancedOptionsConfig.userIpRequestHeaders", is: set(fold), severity: high},
		{want: "advanced_options_config.json_parsing", got: "advancedOptionsConfig.jsonParsing", is: fold, fallback: "DISABLED", toward: ranked("DISABLED", "STANDARD", "STANDARD_WITH_GRAPHQL"), severity: medium},
	}, guard: guards, ignored: []string{"description", "advanced_options_config.log_level"}},
	"google_compute_backend_service": {asset: "compute.googleapis.com/BackendService", name: "projects/{project}/global/backendServices/{name}", fields: []field{
		{want: "security_policy", got: "securityPolicy", is: link, toward: guarded, severity: critical},
		{want: "edge_security_policy", got: "edgeSecurityPolicy", is: link, toward: guarded, severity: high},
		{want: "backend", got: "backends|backend", is: backends, severity: high},
		{want: "protocol", got: "protocol", is: fold, severity: high},
		{want: "load_balancing_scheme", got: "loadBalancingScheme", is: fold, fallback: "EXTERNAL", severity: high},
		{want: "iap.enabled", got: "iap.enabled", is: flag, toward: switched("true"), severity: critical},
		{want: "iap.oauth2_client_id", got: "iap.oauth2ClientId", is: text, severity: high},
		{want: "custom_request_headers", got: "customRequestHeaders|customRequestHeader", is: set(text), severity: high},
		{want: "custom_response_headers", got: "customResponseHeaders|customResponseHeader", is: set(text), toward: narrower, severity: medium},
		{want: "enable_cdn", got: "enableCDN|enableCdn", is: flag, toward: switched("false"), severity: high},
		{want: "log_config.enable", got: "logConfig.enable", is: flag, toward: switched("true"), severity: medium},
		{want: "log_config.sample_rate", got: "logConfig.sampleRate", is: count, toward: atLeast, severity: medium},
	}, ignored: []string{"generated_id", "description", "timeout_sec", "port_name", "session_affinity", "connection_draining_timeout_sec", "affinity_cookie_ttl_sec",
		"iap.oauth2_client_secret", "iap.oauth2_client_secret_sha256", "locality_lb_policy", "health_checks"}},
	"google_compute_network": {asset: "compute.googleapis.com/Network", name: "projects/{project}/global/networks/{name}", fields: []field{
		{want: "auto_create_subnetworks", got: "autoCreateSubnetworks", is: flag, toward: switched("false"), severity: medium},
		{want: "routing_mode", got: "routingConfig.routingMode", is: fold, fallback: "REGIONAL", severity: low},
		{want: "network_firewall_policy_enforcement_order", got: "networkFirewallPolicyEnforcementOrder", is: fold, fallback: "AFTER_CLASSIC_FIREWALL", severity: high},
		{want: "enable_ula_internal_ipv6", got: "enableUlaInternalIpv6", is: flag, severity: medium},
	}, ignored: []string{"mtu", "description", "gateway_ipv4", "network_id", "numeric_id", "internal_ipv6_range", "delete_default_routes_on_create",
		"bgp_best_path_selection_mode"}},
	"google_compute_subnetwork": {asset: "compute.googleapis.com/Subnetwork", name: "projects/{project}/regions/{region}/subnetworks/{name}", fields: []field{
		{want: "ip_cidr_range", got: "ipCidrRange", is: prefixes, severity: medium},
		{want: "network", got: "network", is: link, severity: high},
		{want: "private_ip_google_access", got: "privateIpGoogleAccess", is: flag, severity: low},
		{want: "log_config.aggregation_interval", got: "logConfig.aggregationInterval", is: fold, severity: medium},
		{want: "log_config.flow_sampling", got: "logConfig.flowSampling", is: count, toward: atLeast, severity: medium},
		{want: "log_config.filter_expr", got: "logConfig.filterExpr", is: spaced, severity: medium},
		{want: "log_config.metadata", got: "logConfig.metadata", is: fold, severity: low},
		{want: "stack_type", got: "stackType", is: fold, fallback: "IPV4_ONLY", toward: ranked("IPV6_ONLY", "IPV4_IPV6", "IPV4_ONLY"), severity: medium},
		{want: "secondary_ip_range", got: "secondaryIpRanges|secondaryIpRange", is: set(object(map[string]canon{"ip_cidr_range|ipCidrRange": prefixes})), severity: medium},
		{want: "purpose", got: "purpose", is: fold, fallback: "PRIVATE", severity: low},
	}, ignored: []string{"region", "description", "gateway_address", "private_ipv6_google_access", "subnetwork_id", "role"}},
}
