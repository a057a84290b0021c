package auditlog

// common are the names of the envelope and of the audit log, by their quoted form.
var common = func() map[string]string {
	all := map[string]string{}
	for _, name := range []string{
		"insertId", "logName", "timestamp", "receiveTimestamp", "severity", "protoPayload", "jsonPayload",
		"textPayload", "resource", "labels", "operation", "split", "type", "id", "producer", "first", "last", "uid",
		"index", "totalSplits", "@type", "serviceName", "methodName", "resourceName", "status", "code", "message",
		"authenticationInfo", "principalEmail", "principalSubject", "serviceAccountKeyName", "authorizationInfo",
		"permission", "granted", "permissionType", "resourceAttributes", "requestMetadata", "callerIp",
		"callerSuppliedUserAgent", "requestAttributes", "destinationAttributes", "time", "auth", "reason",
		"resourceLocation", "currentLocations", "request", "response", "metadata", "serviceData", "name", "etag",
		"project_id", "location", "zone", "region", "method", "service", "role", "members", "member", "bindings",
		"policy", "action", "policyDelta", "bindingDeltas", "error", "version", "data", "publishTime",
	} {
		all[`"`+name+`"`] = name
	}
	return all
}()

// names finds the second of two equal names: a short list by looking, a long one by a map.
type names struct {
	few  [24]string
	n    int
	many map[string]bool
}

func (s *names) add(name string) (twice bool) {
	if s.many != nil {
		twice = s.many[name]
		s.many[name] = true
		return twice
	}
	for _, other := range s.few[:s.n] {
		if other == name {
			return true
		}
	}
	if s.n < len(s.few) {
		s.few[s.n] = name
		s.n++
		return false
	}
	s.many = map[string]bool{name: true}
	for _, other := range s.few {
		s.many[other] = true
	}
	return false
}
