package auditlog

// Result is how a call ended. Results are stored, hence strings.
type Result string

const (
	OK      Result = "ok"      // or, of the first entry of an operation, accepted
	Denied  Result = "denied"  // refused: not permitted, not signed in, or stopped by a policy
	Failed  Result = "failed"  // any other error
	Partial Result = "partial" // accepted, and some of it went wrong
	Unclear Result = "unknown" // an application's log that does not say
)

// Outcome is how a call ended, with the code of google.rpc.Code (0 is OK, 7 is PERMISSION_DENIED).
type Outcome struct {
	Result  Result
	Code    int
	Message string // as logged; may hold names
}

// Codes of google.rpc.Code that mean the caller was refused.
const (
	codePermissionDenied = 7
	codeUnauthenticated  = 16
)

// outcome settles how a call ended. A permission that was not granted does not make it denied: services ask for some
// that they can do without. Only when each is said to be refused, and nothing tells of a change, nothing was done.
func (f *fields) outcome(e *Entry) Outcome {
	o := e.Outcome
	if o.Code == 0 && !f.status {
		o.Code = answered(e.Response)
	}
	switch {
	case o.Code == codePermissionDenied || o.Code == codeUnauthenticated:
		o.Result = Denied
	case o.Code != 0:
		o.Result = Failed
	case f.refused > 0 && f.refused == len(e.Permissions) && e.ServiceData == nil:
		o.Result = Denied
	case e.Stream == PolicyDenied || e.Labels["authorization.k8s.io/decision"] == "forbid":
		o.Result = Denied
	case e.Service == "login.googleapis.com" && e.Verb == "loginfailure":
		o.Result = Failed
	case partly(e.Response):
		o.Result = Partial
	default:
		o.Result = OK
	}
	return o
}

// answered returns the code of an error that only the answer holds, as HTTP APIs write it; 0 for none.
func answered(response []byte) (code int) {
	if code = httpError(response); code == 0 {
		code = clusterFailure(response)
	}
	switch code {
	case 0:
		return 0
	case 401:
		return codeUnauthenticated
	case 403:
		return codePermissionDenied
	case 404:
		return 5
	case 409:
		return 6
	case 400:
		return 3
	case 429:
		return 8
	}
	if code < 17 && code > 0 {
		return code // a code of google.rpc.Code already, from a long-running operation
	}
	return 2
}
