// Package postgres searches and erases rows of a PostgreSQL database, version 12 or later.
//
// A place is "schema.table": an ordinary or a partitioned table with a primary key. Fields are columns, or dotted paths
// into a column of JSON. An item's Ref is its primary key and its Version the transaction that wrote it (xmin). With
// MatchDocument a value is the primary key, less the tenant's column where that is part of it; one column must remain.
// MatchPrefix and MatchMetadata are Invalid. Whatever its case (Match.Fold), a value of a large table is found by an index on
// lower(COLUMN COLLATE "C"), and members of lists and keys of maps in none.
//
// What it promises on top of package erasure: rows are locked, looked at again and erased in one transaction; nothing
// of a query but quoted identifiers ever becomes part of a statement; a table whose rows are hidden by row-level security is
// Denied, never an empty answer; a search that could only go through the whole of a large table is Invalid. Where the
// server would delete or change rows of other places by itself (ON DELETE CASCADE, SET NULL, ON UPDATE) a row is held as
// long as there are such rows, however far down, unless Query.Below names their places; one that tells another tenant saves
// the row in any case. What a trigger keeps from being erased is Invalid, and so is one that writes into a place which is not
// named: nothing is done then. Of triggers it sees what they write in this database, where the server counts (track_counts).
// It does not know what backups, replicas and archived logs keep.
//
// The URL is postgres://USER@HOST:PORT/DATABASE, or postgres://USER@/DATABASE?host=/DIRECTORY for a socket, with
// secret=NAME for the password and sslrootcert=FILE for the authority that signs the server's certificate. TLS is not
// asked for on this machine, and cannot be turned off elsewhere. Readers need SELECT; see Grants.
package postgres

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

func init() {
	erasure.Readers.Register("postgres", func(_ context.Context, u *url.URL, o erasure.Options) (erasure.Reader, error) {
		return open(u, o, limits{readOnly: true})
	})
	erasure.Stores.Register("postgres", func(_ context.Context, u *url.URL, o erasure.Options) (erasure.Store, error) {
		return open(u, o, limits{})
	})
}

// Totals is the row of Grants for the tables that totals are kept in, and for no others.
const Totals = "Store.Erase, totals"

// Grants names, for each method, the privileges its role needs on the tables of the map, and of Reader.Find on those of totals;
// no method needs more.
// Locking a row before it is deleted asks for UPDATE.
var Grants = map[string][]string{
	"Reader.Find": {"SELECT"}, "Reader.Values": {"SELECT"}, "Reader.Group": {"SELECT"}, "Reader.Places": {}, "Reader.Traces": {},
	"Store.Erase": {"SELECT", "UPDATE", "DELETE"},
	Totals:        {"SELECT", "INSERT", "UPDATE"},
}

// limits bound what one store asks of the server. Zero values are production's.
type limits struct {
	readOnly  bool
	statement time.Duration // of one statement, 30 s
	lock      time.Duration // a row of others is waited for, 5 s
	patience  time.Duration // of one call, waiting for a connection included, 60 s
	conns     int32         // 4
	// touch is called before each request to the server; nil for none.
	touch func()
}

func (l limits) defaults() limits {
	for _, d := range []struct {
		at    *time.Duration
		value time.Duration
	}{{&l.statement, 30 * time.Second}, {&l.lock, 5 * time.Second}, {&l.patience, time.Minute}} {
		if *d.at == 0 {
			*d.at = d.value
		}
	}
	if l.conns == 0 {
		l.conns = 4
	}
	return l
}

type database struct {
	pool     *pgxpool.Pool
	patience time.Duration
}

var _ erasure.Store = (*database)(nil)

// open connects at first use.
func open(u *url.URL, o erasure.Options, l limits) (*database, error) {
	l = l.defaults()
	config, err := configure(u)
	if err != nil {
		return nil, err
	}
	params := config.ConnConfig.RuntimeParams
	clear(params) // whatever the environment says
	for name, value := range map[string]string{
		"application_name": "ostiary", "TimeZone": "UTC", "DateStyle": "ISO", "client_encoding": "UTF8",
		"search_path":       "pg_catalog", // nobody's own functions stand in for the server's
		"row_security":      "off",        // hidden rows are an error
		"statement_timeout": milliseconds(l.statement), "lock_timeout": milliseconds(l.lock),
		"idle_in_transaction_session_timeout": milliseconds(2 * l.patience),
	} {
		params[name] = value
	}
	if l.readOnly {
		params["default_transaction_read_only"] = "on"
	}
	config.MaxConns, config.MinConns, config.MinIdleConns = l.conns, 0, 0
	config.ShouldPing = func(_ context.Context, p pgxpool.ShouldPingParams) bool { return p.IdleDuration > 10*time.Second }
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec // tables change under a plan that is kept
	config.ConnConfig.ConnectTimeout = 10 * time.Second
	if l.touch != nil {
		dial := config.ConnConfig.DialFunc
		config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			return touching{conn, l.touch}, err
		}
	}
	name := u.Query().Get("secret")
	config.BeforeConnect = func(ctx context.Context, c *pgx.ConnConfig) error {
		c.Password = ""
		if name == "" {
			return nil
		}
		if o.Secret == nil {
			return fault.New(fault.Misconfigured, "connecting to PostgreSQL: no secrets are configured to read %q from", name)
		}
		password, err := o.Secret(ctx, name)
		c.Password = string(password)
		return err
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, fault.New(fault.Misconfigured, "opening PostgreSQL: its settings are refused")
	}
	return &database{pool: pool, patience: l.patience}, nil
}

// configure reads the URL and nothing else.
func configure(u *url.URL) (*pgxpool.Config, error) {
	query, host, port := u.Query(), u.Hostname(), u.Port()
	for key, values := range query {
		if len(values) != 1 || key != "secret" && key != "host" && key != "sslrootcert" {
			return nil, fault.New(fault.Misconfigured, "opening PostgreSQL: allowed in the URL are secret, host and sslrootcert, once each")
		}
	}
	if socket := query.Get("host"); socket != "" {
		if host != "" || !strings.HasPrefix(socket, "/") {
			return nil, fault.New(fault.Misconfigured, "opening PostgreSQL: host is the folder of a socket, and no other host is named")
		}
		host = socket
	}
	name := strings.TrimPrefix(u.Path, "/")
	_, password := u.User.Password()
	if host == "" || name == "" || strings.Contains(name, "/") || u.User.Username() == "" || password {
		return nil, fault.New(fault.Misconfigured, "opening PostgreSQL: a URL is postgres://USER@HOST:PORT/DATABASE?secret=NAME, without the password")
	}
	if port == "" {
		port = "5432"
	}
	settings := url.Values{"host": {host}, "port": {port}, "sslmode": {"verify-full"}}
	if here(host) {
		settings.Set("sslmode", "disable")
	}
	if ca := query.Get("sslrootcert"); ca != "" {
		settings.Set("sslrootcert", ca)
	}
	config, err := pgxpool.ParseConfig((&url.URL{Scheme: "postgres", User: url.User(u.User.Username()), Path: "/" + name, RawQuery: settings.Encode()}).String())
	if err != nil { // its text holds the URL
		return nil, fault.New(fault.Misconfigured, "opening PostgreSQL: its settings cannot be read, or the file of sslrootcert")
	}
	return config, nil
}

// here reports whether a host is this machine by its form or name (RFC 6761, section 6.3).
func here(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.HasPrefix(host, "/") || host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

// Close ends its connections; calls under way are waited for.
func (d *database) Close() error {
	d.pool.Close()
	return nil
}

// touching tells of each request before it is sent.
type touching struct {
	net.Conn
	touch func()
}

func (c touching) Write(b []byte) (int, error) {
	c.touch()
	return c.Conn.Write(b)
}
