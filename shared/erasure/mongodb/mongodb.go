// Package mongodb searches and erases documents of MongoDB, version 5 or later.
//
// A place is "database.collection". Fields are dotted paths through documents, never through lists. An item's Ref is its
// _id as canonical extended JSON; items have no Version. An identifier is found as text, and as the number, ObjectID or
// UUID that spells it. MatchPrefix and MatchMetadata are Invalid. Whatever their case (Match.Fold), values and members of
// lists are found in collections of at most ten thousand documents, and keys of maps in none: an index tells small letters
// from capitals. Without Query.CreatedField an item was made when its ObjectID
// was.
//
// What it promises on top of package erasure: each item is erased under the condition that its tenant, the field it was
// recognised by and the fields that are changed are what they were when Erase read them, and the majority of the servers has
// it. It does not notice that other fields were written since the item was found. A search that could only go through the
// whole of a large collection is Invalid; so is one that meets, in documents of the
// tenant, a list where the map says a value, or the other way round. It does not know what backups, the log of operations and
// delayed members keep. To close large accounts, index the tenant together with _id.
//
// The URL is mongodb://USER@HOST:PORT or mongodb+srv://USER@HOST with secret=NAME for the password, and authSource,
// replicaSet, tlsCAFile and directConnection as MongoDB has them. TLS is not asked for on this machine, and cannot be turned
// off elsewhere. The password is read once in the life of a process.
//
// Of privilege actions (MongoDB, "Privilege Actions") its user needs, on the databases of the map, find, listCollections,
// listIndexes and collStats to search, and update and remove besides to erase; listDatabases on the cluster for what the map
// does not name.
package mongodb

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/lazy"
)

func init() {
	for _, scheme := range []string{"mongodb", "mongodb+srv"} {
		erasure.Readers.Register(scheme, func(_ context.Context, u *url.URL, o erasure.Options) (erasure.Reader, error) {
			return open(u, o, limits{})
		})
		erasure.Stores.Register(scheme, func(_ context.Context, u *url.URL, o erasure.Options) (erasure.Store, error) {
			return open(u, o, limits{})
		})
	}
}

// limits bound what one store asks of the server. Zero values are production's.
type limits struct {
	patience time.Duration // of one command, waiting for a connection included, 30 s
	finding  time.Duration // until a server is found, 10 s
	conns    uint64        // 8
	monitor  *event.CommandMonitor
}

func (l limits) defaults() limits {
	if l.patience == 0 {
		l.patience = 30 * time.Second
	}
	if l.finding == 0 {
		l.finding = 10 * time.Second
	}
	if l.conns == 0 {
		l.conns = 8
	}
	return l
}

type database struct{ client *lazy.Value[*mongo.Client] }

var _ erasure.Store = (*database)(nil)

// open connects at first use.
func open(u *url.URL, o erasure.Options, l limits) (*database, error) {
	uri, err := configure(u)
	if err != nil {
		return nil, err
	}
	name, l, d := u.Query().Get("secret"), l.defaults(), &database{}
	d.client = lazy.New(func(ctx context.Context) (*mongo.Client, error) {
		config := options.Client().ApplyURI(uri).SetAppName("ostiary").SetMonitor(l.monitor).
			SetTimeout(l.patience).SetServerSelectionTimeout(l.finding).SetConnectTimeout(l.finding).SetMaxPoolSize(l.conns).
			SetReadConcern(readconcern.Majority()).SetWriteConcern(writeconcern.Majority())
		if config.Auth != nil {
			if o.Secret == nil {
				return nil, fault.New(fault.Misconfigured, "connecting to MongoDB: no secrets are configured to read %q from", name)
			}
			password, err := o.Secret(ctx, name)
			if err != nil {
				return nil, err
			}
			config.Auth.Password, config.Auth.PasswordSet = string(password), true
		}
		client, err := mongo.Connect(config)
		if _, ok := errors.AsType[*net.DNSError](err); ok { // of mongodb+srv
			return nil, fault.New(fault.Transient, "connecting to MongoDB: the name servers do not tell its hosts")
		}
		if err != nil { // its text may hold the URL
			return nil, fault.New(fault.Misconfigured, "opening MongoDB: its settings are refused")
		}
		return client, nil
	})
	return d, nil
}

var allowed = []string{"secret", "authSource", "replicaSet", "tlsCAFile", "directConnection"}

// configure turns our URL into the driver's, without the password.
func configure(u *url.URL) (string, error) {
	query := u.Query()
	for key, values := range query {
		if len(values) != 1 || !slices.Contains(allowed, key) {
			return "", fault.New(fault.Misconfigured, "opening MongoDB: allowed in the URL are %s, once each", strings.Join(allowed, ", "))
		}
	}
	_, password := u.User.Password()
	named := u.User.Username() != ""
	if u.Host == "" || strings.Trim(u.Path, "/") != "" || password || named != query.Has("secret") {
		return "", fault.New(fault.Misconfigured, "opening MongoDB: a URL is mongodb://USER@HOST:PORT/?secret=NAME, without the password")
	}
	query.Del("secret")
	if u.Scheme == "mongodb+srv" || slices.ContainsFunc(strings.Split(u.Host, ","), elsewhere) {
		query.Set("tls", "true")
	}
	clean := url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/", RawQuery: query.Encode()}
	if named {
		clean.User = url.User(u.User.Username())
	}
	return clean.String(), nil
}

// elsewhere reports whether a host is not this machine by its form or name (RFC 6761, section 6.3).
func elsewhere(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host != "localhost" && (err != nil || !addr.Unmap().IsLoopback())
}

// Close ends its connections; calls under way end with an error.
func (d *database) Close() error {
	if client, made := d.client.Made(); made {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		return explain("closing MongoDB", client.Disconnect(ctx))
	}
	return nil
}
