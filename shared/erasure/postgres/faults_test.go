package postgres

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/erasetest"
	"ostiary.internal/shared/platform/fault"
)

const person = erasetest.Person

var wants, find = erasetest.Wants, erasetest.Found

// of is the query for one person's rows of a place that tells tenants by a column.
func of(place string) erasure.Query { return erasetest.Of("rows", place) }

// people makes a table with one row of the person and one of somebody else.
func people(t testing.TB, s *server) (place string) {
	t.Helper()
	place = s.table(t, s.schema(t)+".people", "id bigint PRIMARY KEY, tenant text NOT NULL, uid text")
	s.do(t, "INSERT INTO "+place+" VALUES (1, 'alpha', '"+person+"'), (2, 'alpha', 'zq-u2')")
	return place
}

// every method fails in the same way.
func all(t testing.TB, what string, d *database, place string, kind fault.Kind) {
	t.Helper()
	erasetest.All(t, what, d, of(place), `["`+place+`","1"]`, kind)
}

func TestServersThatAnswerNobody(t *testing.T) {
	t.Parallel()
	s := started(t)
	place := people(t, s)
	address := func(role, port, rest string) *url.URL {
		u, err := url.Parse("postgres://" + role + "@127.0.0.1:" + port + rest)
		must(t, err)
		return u
	}
	s.do(t, "CREATE ROLE crowd LOGIN CONNECTION LIMIT 0 PASSWORD '"+secret+"'")
	all(t, "a wrong password", opened(t, address("eraser", s.port, "/postgres?secret=password"), []byte("guess"), limits{}), place, fault.Denied)
	all(t, "no password", opened(t, address("eraser", s.port, "/postgres"), nil, limits{}), place, fault.Denied)
	all(t, "an unknown role", opened(t, address("nobody", s.port, "/postgres?secret=password"), []byte(secret), limits{}), place, fault.Denied)
	all(t, "a server gone", opened(t, address("eraser", port(t), "/postgres?secret=password"), []byte(secret), limits{}), place, fault.Transient)
	all(t, "no such database", opened(t, address("eraser", s.port, "/none?secret=password"), []byte(secret), limits{}), place, fault.Misconfigured)
	all(t, "too many connections", opened(t, address("crowd", s.port, "/postgres?secret=password"), []byte(secret), limits{}), place, fault.Exhausted)

	d := s.as(t, "eraser", limits{})
	find(t, d, of(place))
	s.do(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'eraser' AND query LIKE $1", "%"+strings.Split(place, ".")[0]+"%")
	for range 2 { // the connection is found broken once at the most
		if page, err := d.Find(t.Context(), of(place), "", 10); err != nil {
			wants(t, "a connection that was ended", err, fault.Transient)
		} else if len(page.Items) != 1 {
			t.Errorf("%d items", len(page.Items))
		}
	}
	find(t, d, of(place))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := d.Find(ctx, of(place), "", 10)
	wants(t, "a call given up", err, fault.Transient)
}

// TestPatience: nobody waits for ever for a lock, a statement or a connection, and what was not done is done later.
func TestPatience(t *testing.T) {
	t.Parallel()
	s := started(t)
	place := people(t, s)
	slow := s.as(t, "eraser", limits{statement: 80 * time.Millisecond, lock: time.Minute})
	short := s.as(t, "eraser", limits{lock: 80 * time.Millisecond})
	full := s.as(t, "eraser", limits{conns: 1})
	items := find(t, short, of(place))
	find(t, full, of(place))

	row, err := s.admin.Begin(context.Background())
	must(t, err)
	_, err = row.Exec(t.Context(), "SELECT FROM "+place+" FOR UPDATE")
	must(t, err)
	_, err = short.Erase(t.Context(), of(place), items)
	wants(t, "a row that somebody holds", err, fault.Transient)
	_, err = slow.Erase(t.Context(), of(place), items)
	wants(t, "a statement that takes too long", err, fault.Transient)
	if err != nil && !strings.Contains(err.Error(), "time") {
		t.Errorf("the error does not tell of time: %v", err)
	}
	must(t, row.Rollback(t.Context()))

	conn, err := full.pool.Acquire(t.Context())
	must(t, err)
	patience := full.patience
	full.patience = 80 * time.Millisecond
	all(t, "no connection left", full, place, fault.Transient)
	full.patience = patience
	conn.Release()

	results, err := full.Erase(t.Context(), of(place), items)
	must(t, err)
	if len(results) != 1 || results[0].Outcome != erasure.OutcomeErased {
		t.Errorf("afterwards: %v", results)
	}
}

// TestRights: each method does with the privileges of its row of Grants, and is Denied when one of them is taken away; rows
// that a policy hides are an error and not absent; who reads cannot write, whatever his privileges.
func TestRights(t *testing.T) {
	t.Parallel()
	s := started(t)
	place := people(t, s)
	calls := map[string]func(d *database, place string) error{
		"Reader.Find": func(d *database, place string) error {
			_, err := d.Find(t.Context(), of(place), "", 10)
			return err
		},
		"Reader.Values": func(d *database, place string) error {
			_, err := d.Values(t.Context(), of(place), "uid", 10)
			return err
		},
		"Reader.Group": func(d *database, place string) error {
			_, err := d.Group(t.Context(), of(place), []string{"uid"})
			return err
		},
		"Reader.Places": func(d *database, _ string) error { _, err := d.Places(t.Context(), 1000); return err },
		"Reader.Traces": func(d *database, _ string) error { _, err := d.Traces(t.Context()); return err },
		"Store.Erase": func(d *database, place string) error {
			version := one[string](t, s, "SELECT xmin::text FROM "+place+" WHERE id = 1")
			_, err := d.Erase(t.Context(), of(place), []erasure.Item{{Ref: `["` + place + `","1"]`, Tenant: "alpha", Version: version}})
			return err
		},
	}
	stranger := s.as(t, "stranger", limits{})
	for method, call := range calls {
		privileges, known := Grants[method]
		if !known {
			t.Errorf("no row of %s", method)
		}
		for without := range len(privileges) + 1 {
			place := people(t, s)
			for i, p := range privileges {
				if i != without {
					s.do(t, "GRANT "+p+" ON "+place+" TO stranger")
				}
			}
			if err := call(stranger, place); (err == nil) != (without == len(privileges)) || err != nil && !fault.Is(err, fault.Denied) {
				t.Errorf("%s without the %d. of %v: %v", method, without+1, privileges, err)
			}
		}
	}
	for without := range len(Grants[Totals]) + 1 {
		place := people(t, s)
		s.do(t, "GRANT "+join(Grants["Store.Erase"])+" ON "+place+" TO stranger")
		w := &world{server: s, schema: s.schema(t)}
		into := w.Into(t)
		s.do(t, "REVOKE ALL ON "+into+" FROM stranger")
		for i, p := range Grants[Totals] {
			if i != without {
				s.do(t, "GRANT "+p+" ON "+into+" TO stranger")
			}
		}
		q := of(place)
		q.Action, q.Changes = erasure.ActionAnonymise, []erasure.Change{{Field: "uid", Kind: erasure.ChangeAggregate, Into: into}}
		version := one[string](t, s, "SELECT xmin::text FROM "+place+" WHERE id = 1")
		_, err := stranger.Erase(t.Context(), q, []erasure.Item{{Ref: `["` + place + `","1"]`, Tenant: "alpha", Version: version}})
		if (err == nil) != (without == len(Grants[Totals])) || err != nil && !fault.Is(err, fault.Denied) {
			t.Errorf("adding to a total without the %d. of %v: %v", without+1, Grants[Totals], err)
		}
	}
	items := find(t, s.as(t, "eraser", limits{}), of(place))
	_, err := s.as(t, "eraser", limits{readOnly: true}).Erase(t.Context(), of(place), items)
	wants(t, "erasing through what was opened for reading", err, fault.Misconfigured)
	s.do(t, "ALTER TABLE "+place+" ENABLE ROW LEVEL SECURITY")
	_, err = s.as(t, "reader", limits{readOnly: true}).Find(t.Context(), of(place), "", 10)
	wants(t, "rows that a policy hides", err, fault.Denied)
}

// TestCertificates: beyond this machine the server proves who it is.
func TestCertificates(t *testing.T) {
	t.Parallel()
	for raw, tls := range map[string]bool{
		"postgres://eraser@db.company.example/app":                     true,
		"postgres://eraser@10.0.0.1:6000/app?secret=p":                 true,
		"postgres://eraser@127.0.0.1/app":                              false,
		"postgres://eraser@localhost/app":                              false,
		"postgres://eraser@[::1]:6000/app":                             false,
		"postgres://eraser@/app?host=/cloudsql/project:region:machine": false,
	} {
		u, err := url.Parse(raw)
		must(t, err)
		config, err := configure(u)
		must(t, err)
		c := config.ConnConfig
		if got := c.TLSConfig != nil && !c.TLSConfig.InsecureSkipVerify && c.TLSConfig.ServerName == u.Hostname(); got != tls || len(c.Fallbacks) > 0 || c.User != "eraser" || c.Database != "app" {
			t.Errorf("%s: verified %t, want %t; %d fallbacks", raw, got, tls, len(c.Fallbacks))
		}
	}
	for _, raw := range []string{
		"postgres://eraser:guess@127.0.0.1/app", "postgres://127.0.0.1/app", "postgres://eraser@127.0.0.1/", "postgres://eraser@127.0.0.1/a/b", "postgres://eraser@/app",
		"postgres://eraser@db.company.example/app?sslmode=disable", "postgres://eraser@127.0.0.1/app?secret=a&secret=b", "postgres://eraser@127.0.0.1/app?host=/tmp",
		"postgres://eraser@/app?host=db.company.example", "postgres://eraser@127.0.0.1/app?options=-crow_security%3Don", "postgres://eraser@127.0.0.1/app?sslrootcert=/none",
	} {
		for _, open := range []func() error{
			func() error { _, err := erasure.Readers.Open(t.Context(), raw, erasure.Options{}); return err },
			func() error { _, err := erasure.Stores.Open(t.Context(), raw, erasure.Options{}); return err },
		} {
			err := open()
			wants(t, raw, err, fault.Misconfigured)
			if err != nil && strings.Contains(err.Error(), "guess") {
				t.Errorf("the password is told: %v", err)
			}
		}
	}
	d, err := erasure.Readers.Open(t.Context(), "postgres://eraser@127.0.0.1/app?secret=password", erasure.Options{})
	must(t, err)
	defer d.Close()
	_, err = d.Traces(t.Context())
	wants(t, "a secret, and none to ask", err, fault.Misconfigured)
}
