package rule

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// variable is a name that rules may use, with what it stands for. keep says that working it out costs more than
// remembering it.
type variable struct {
	kind *cel.Type
	keep bool
	of   func(*view) ref.Val
}

func text(of func(*view) string) variable {
	return variable{kind: cel.StringType, of: func(v *view) ref.Val { return types.String(of(v)) }}
}

func list(of func(*view) []string) variable {
	return variable{kind: cel.ListType(cel.StringType), keep: true, of: func(v *view) ref.Val { return texts(of(v)) }}
}

var (
	changeList = cel.ListType(cel.MapType(cel.StringType, cel.StringType))
	textMap    = cel.MapType(cel.StringType, cel.StringType)
)

// variables are all names of the vocabulary. They are those of auditlog.Entry; what an entry has not is empty.
// Sub-trees (request, response, metadata, service_data, payload) are read with text, items and parameter, which find
// nothing where a selection would be an error.
var variables = map[string]variable{
	"id":            text(func(v *view) string { return v.e.ID }),
	"kind":          text(func(v *view) string { return string(v.e.Kind) }),
	"stream":        text(func(v *view) string { return string(v.e.Stream) }),
	"log":           text(func(v *view) string { return v.e.LogName }),
	"project":       text(func(v *view) string { return v.e.Project }),
	"folder":        text(func(v *view) string { return v.e.Folder }),
	"organization":  text(func(v *view) string { return v.e.Organization }),
	"severity":      text(func(v *view) string { return v.e.Severity }),
	"service":       text(func(v *view) string { return v.e.Service }),
	"method":        text(func(v *view) string { return v.e.Method }),
	"verb":          text(func(v *view) string { return v.e.Verb }), // last segment of method, in small letters
	"resource":      text(func(v *view) string { return v.e.Resource }),
	"resource_type": text(func(v *view) string { return v.e.Type }),
	"asset":         text(func(v *view) string { return v.e.Asset }),
	"outcome":       text(func(v *view) string { return string(v.e.Outcome.Result) }), // ok, denied, failed, partial, unknown
	"ip":            text(func(v *view) string { return v.e.IP }),
	"agent":         text(func(v *view) string { return v.e.Agent }), // the caller wrote it
	"location":      text(func(v *view) string { return v.e.Location }),
	"reason":        text(func(v *view) string { return v.e.Reason }),
	"operation":     text(func(v *view) string { return v.e.Operation.ID }),

	"actor.kind":     text(func(v *view) string { return string(v.e.Actor.Kind) }), // human, service, agent, ...
	"actor.email":    text(func(v *view) string { return v.e.Actor.Email }),
	"actor.subject":  text(func(v *view) string { return v.e.Actor.Subject }),
	"actor.key":      text(func(v *view) string { return v.e.Actor.Key }),     // the address where the log hides who
	"actor.key_name": text(func(v *view) string { return v.e.Actor.KeyName }), // the downloaded key of an account that was used
	"actor.chain":    list(func(v *view) []string { return chain(v.e.Actor) }),

	"app.user":   text(func(v *view) string { return v.e.App.User }),
	"app.tenant": text(func(v *view) string { return v.e.App.Tenant }),
	"app.action": text(func(v *view) string { return v.e.App.Action }),
	"app.ticket": text(func(v *view) string { return v.e.App.Ticket }),
	"app.reason": text(func(v *view) string { return v.e.App.Reason }),

	"time":   {kind: cel.TimestampType, of: func(v *view) ref.Val { return types.Timestamp{Time: v.e.Time} }},
	"home":   list(func(v *view) []string { return v.ours() }),                                            // domain and project that count as the company's own in a trial
	"google": {kind: cel.BoolType, of: func(v *view) ref.Val { return types.Bool(machinery(v.e.Actor)) }}, // Google's own accounts and systems acted

	"listed": {kind: cel.BoolType, keep: true, of: (*view).listed}, // ip was on the live allow-list then

	"people":        list(func(v *view) []string { return people(v.e.Actor) }), // addresses of those who had a hand in it
	"names":         list(func(v *view) []string { return names(v.e) }),        // all the entry calls what was acted on
	"metadata_keys": list(func(v *view) []string { return metadataKeys(v.e) }), // keys of Compute metadata that were set

	"permissions": list(func(v *view) []string { return permissions(v, true) }),  // granted
	"denied":      list(func(v *view) []string { return permissions(v, false) }), // asked for and not granted
	"gaps":        list(func(v *view) []string { return v.e.Gaps }),
	"ranges":      list(func(v *view) []string { return sourceRanges(v.e) }), // whom a firewall change lets in, CIDR

	"delta":    {kind: changeList, keep: true, of: (*view).delta},    // change (added, removed), role, member, condition
	"blinding": {kind: changeList, keep: true, of: (*view).blinding}, // change (added, removed), service, log, exempted

	// delta and blinding hold what may have changed, where that cannot be told: a hit is undetermined. So it is with the
	// whole policy of a thing of which no earlier one is known.
	"unsure": {kind: cel.BoolType, of: func(v *view) ref.Val { return types.Bool(v.access != nil && v.access.unsure) }},
	// An open ticket covers what an application logged: app.ticket names one that is open then, see tickets in watch.yaml.
	"covered": {kind: cel.BoolType, of: func(v *view) ref.Val { return types.Bool(v.open) }},

	"labels":          {kind: textMap, keep: true, of: func(v *view) ref.Val { return mapping(v.e.Labels) }},
	"resource_labels": {kind: textMap, keep: true, of: func(v *view) ref.Val { return mapping(v.e.ResourceLabels) }},

	"request":      {kind: cel.DynType, keep: true, of: func(v *view) ref.Val { return tree(v.e.Request) }},
	"response":     {kind: cel.DynType, keep: true, of: func(v *view) ref.Val { return tree(v.e.Response) }},
	"metadata":     {kind: cel.DynType, keep: true, of: func(v *view) ref.Val { return tree(v.e.Metadata) }},
	"service_data": {kind: cel.DynType, keep: true, of: func(v *view) ref.Val { return tree(v.e.ServiceData) }},
	"payload":      {kind: cel.DynType, keep: true, of: func(v *view) ref.Val { return tree(v.e.Payload) }},
}

func permissions(v *view, granted bool) []string {
	var names []string
	for _, p := range v.e.Permissions {
		if p.Granted == granted {
			names = append(names, p.Name)
		}
	}
	return names
}

// functions declares what rules may call. The second column is what each is, in Go, of [World] or of this package.
func functions(w World) []cel.EnvOption {
	s, l, d := cel.StringType, cel.ListType(cel.StringType), cel.DynType
	return []cel.EnvOption{
		cel.Macros(cel.GlobalMacro("ext", 1, withHome)),      // ext(member): a member of a binding, or an address, from outside
		two("outside", s, l, w.outside),                      // what ext(member) stands for: outside(member, home)
		one("in_region", s, w.InRegion),                      // in_region(location): where resources may be made
		lists("internet", Internet),                          // internet(ranges): some of it is an address of the internet
		one("public", s, Public),                             // public(member): everyone, or everyone with a Google account
		one("agent", s, GoogleAgent),                         // agent(member): an account that Google owns and runs
		one("own", s, w.Own),                                 // own(address): an account of services.yaml, whatever it is for
		two("machine", s, s, w.Machine),                      // machine(address, project): an account that deploys, or of one of ostiary's own functions
		cel.Macros(cel.GlobalMacro("machine_own", 1, alone)), // machine_own(address): machine(address, project), and no person acts by it
		one("live", s, w.Live),                               // live(project): not known to be staging
		one("privileged", s, Privileged),                     // privileged(role): may change access, or read everything
		one("primitive", s, Primitive),                       // primitive(role): owner, editor, viewer
		cel.Macros(cel.GlobalMacro("role", 2, withTime)),     // role(address, "manager"): a person of people.yaml had the role, then
		when3("had_role", w.HasRole),                         // what role(address, name) stands for: had_role(address, name, time)
		when2("approved", w.Approved),                        // approved(member, time): a person or an account of the policy, then
		when1("workhours", w.WorkHours),                      // workhours(time): Monday to Friday, 07:00 to 20:00, in the company's zone
		two("cidr", s, l, InRanges),                          // cidr(ip, ["192.0.2.0/24"]): false for what is no address
		lists("open", Open),                                  // open(ranges): together they hold every IPv4 or every IPv6 address
		path2("text", d, s, cel.StringType, Text),            // text(request, "policy.etag"): "" where there is nothing
		path2("items", d, s, cel.ListType(d), Sub),           // items(request, "policy.bindings"): [] where there is nothing
		path2("parameter", d, s, cel.StringType, Parameter),  // parameter(metadata, "USER_EMAIL"): of a Workspace event
		path2("segment", s, s, cel.StringType, segment),      // segment(resource, "secrets"): what follows it in a path
		one("acting", s, Acting),                             // acting(app.action): acting as another user, not the end of it
		one("acting_began", s, ActingBegan),                  // acting_began(app.action): that it begins, in so many words
		one("acting_ended", s, ActingEnded),                  // acting_ended(app.action): that it ends
	}
}
