package workspace_test

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/api/option"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/directory"
	"ostiary.internal/shared/platform/directory/directorytest"
	"ostiary.internal/shared/platform/directory/workspace"
	"ostiary.internal/shared/platform/fault"
)

const jane = directorytest.Jane

// open returns a directory whose real client asks the server.
func open(t *testing.T, s *server, clk clock.Clock) *workspace.Directory {
	t.Helper()
	d, err := workspace.New(directory.Options{Clock: clk}, workspace.Settings{},
		option.WithEndpoint(s.URL), option.WithHTTPClient(s.Client()))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestConformance(t *testing.T) {
	t.Parallel()
	directorytest.Run(t, func(t *testing.T) *directorytest.Bench {
		s, clk := newServer(t), clock.NewManual(directorytest.Start)
		return &directorytest.Bench{
			Directory: open(t, s, clk), Clock: clk,
			Set: func(_ *testing.T, email string, state directorytest.State) { s.set(email, state) },
			Break: func(broken bool) {
				if !broken {
					s.say(nil)
					return
				}
				s.say(func(w http.ResponseWriter, _ *http.Request) {
					problem(w, http.StatusServiceUnavailable, "backendError", "away")
				})
			},
		}
	})
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		fields map[string]any
		want   directory.Account
		kind   fault.Kind
	}{
		"archived":                  {fields: map[string]any{"archived": true}, want: directory.Account{Suspended: true, TwoStep: true}},
		"enrolled but not enforced": {fields: map[string]any{"isEnforcedIn2Sv": false}},
		"enforced but not enrolled": {fields: map[string]any{"isEnrolledIn2Sv": false}},
		"primary in capitals":       {fields: map[string]any{"primaryEmail": "Jane.Doe@LabelSync.example"}, want: directory.Account{TwoStep: true}},
		"another account":           {fields: map[string]any{"primaryEmail": "jane@other.example"}, kind: fault.NotFound},
		"no primary address":        {fields: map[string]any{"primaryEmail": ""}, kind: fault.NotFound},
		"not a boolean":             {fields: map[string]any{"suspended": "no"}, kind: fault.Transient},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.write(jane, row.fields)
			got, err := open(t, s, clock.NewManual(directorytest.Start)).Lookup(t.Context(), jane, 0)
			if row.kind != "" {
				if !fault.Is(err, row.kind) || got != (directory.Account{}) {
					t.Errorf("Lookup = %+v, %v; want %s", got, err, row.kind)
				}
				return
			}
			row.want.Email, row.want.Subject, row.want.Read = jane, "1122334455667788", directorytest.Start
			if err != nil || got != row.want {
				t.Errorf("Lookup = %+v, %v; want %+v", got, err, row.want)
			}
		})
	}
}

// An alias finds the account, and is not its name.
func TestAlias(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.alias("jd@labelsync.example", jane)
	if got, err := open(t, s, clock.System{}).Lookup(t.Context(), "jd@labelsync.example", 0); !fault.Is(err, fault.NotFound) {
		t.Errorf("Lookup of an alias = %+v, %v; want not-found", got, err)
	}
}

// The request asks for no more than is needed, of the account named and of no other.
func TestRequest(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	if _, err := open(t, s, clock.System{}).Lookup(t.Context(), jane, 0); err != nil {
		t.Fatal(err)
	}
	asked := s.asked()
	if len(asked) != 1 || asked[0].Method != http.MethodGet || asked[0].URL.Path != "/admin/directory/v1/users/"+jane {
		t.Fatalf("requests: %+v", asked)
	}
	query := asked[0].URL.Query()
	if got := query.Get("fields"); got != "id,primaryEmail,suspended,archived,isEnrolledIn2Sv,isEnforcedIn2Sv" {
		t.Errorf("fields=%s", got)
	}
	if query.Get("projection") != "basic" || query.Get("viewType") != "admin_view" {
		t.Errorf("query: %v", query)
	}
	want := map[string][]string{"Lookup": {"https://www.googleapis.com/auth/admin.directory.user.readonly"}}
	if !reflect.DeepEqual(workspace.Permissions, want) {
		t.Errorf("Permissions = %v", workspace.Permissions)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		status int
		reason string
		want   fault.Kind
	}{
		"not found":      {404, "notFound", fault.NotFound},
		"not ours":       {403, "forbidden", fault.Denied},
		"not allowed":    {403, "insufficientPermissions", fault.Denied},
		"no credentials": {401, "authError", fault.Denied},
		"rate":           {403, "rateLimitExceeded", fault.Transient},
		"user rate":      {403, "userRateLimitExceeded", fault.Transient},
		"quota":          {403, "quotaExceeded", fault.Transient},
		"too many":       {429, "rateLimitExceeded", fault.Transient},
		"broken":         {500, "backendError", fault.Transient},
		"away":           {503, "backendError", fault.Transient},
		"precondition":   {412, "conditionNotMet", fault.Misconfigured},
		"bad request":    {400, "failedPrecondition", fault.Misconfigured},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.say(func(w http.ResponseWriter, _ *http.Request) { problem(w, row.status, row.reason, "no: "+jane) })
			d := open(t, s, clock.System{})
			got, err := d.Lookup(t.Context(), jane, directory.MaxAge)
			if !fault.Is(err, row.want) || got != (directory.Account{}) || strings.Contains(err.Error(), "jane") {
				t.Errorf("Lookup = %+v, %v (kind %q); want %s without the address", got, err, fault.KindOf(err), row.want)
			}
			s.say(nil)
			if _, err := d.Lookup(t.Context(), jane, directory.MaxAge); err != nil {
				t.Errorf("the error stayed: %v", err)
			}
		})
	}
	t.Run("no connection", func(t *testing.T) {
		t.Parallel()
		s := newServer(t)
		d := open(t, s, clock.System{})
		s.Close()
		_, err := d.Lookup(t.Context(), jane, 0)
		if !fault.Is(err, fault.Transient) || strings.Contains(err.Error(), "jane") {
			t.Errorf("Lookup: %v, want transient without the address", err)
		}
	})
	for name, body := range map[string]string{"not JSON": "<html>", "empty object": "{}", "cut": `{"primaryEmail":"` + jane, "null": "null"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.say(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
			if got, err := open(t, s, clock.System{}).Lookup(t.Context(), jane, 0); err == nil || got != (directory.Account{}) {
				t.Errorf("Lookup = %+v, %v; want an error", got, err)
			}
		})
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	for raw, good := range map[string]bool{
		"workspace:": true,
		"workspace:?account=dir@labelsync.iam.gserviceaccount.com":                                     true,
		"workspace:?account=dir@labelsync.iam.gserviceaccount.com&impersonate=admin@labelsync.example": true,
		"workspace:?impersonate=admin@labelsync.example":                                               false,
		"workspace:?account=dir":                                  false,
		"workspace:?scope=everything":                             false,
		"workspace:?account=a@a.example&account=b@b.example":      false,
		"workspace://labelsync.example":                           false,
		"workspace:labelsync.example":                             false,
		"workspace:?account=a@a.example&impersonate=b@b.example#": false,
	} {
		_, err := directory.Drivers.Open(t.Context(), raw, directory.Options{Clock: clock.System{}})
		if good != (err == nil) || !good && !fault.Is(err, fault.Misconfigured) {
			t.Errorf("opening %s: %v", raw, err)
		}
	}
	if _, err := directory.Drivers.Open(t.Context(), "workspace:", directory.Options{}); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("opening without a clock: %v, want misconfigured", err)
	}
}
