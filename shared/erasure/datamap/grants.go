package datamap

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"ostiary.internal/shared/erasure"
)

// Provider is somebody at whose accounts the product acts for its users (OAuth 2.0), as they allowed it to.
type Provider struct {
	ID   string `yaml:"id"`
	Name string `yaml:"name"`
	By   Ending `yaml:"by"`
	// Endpoint is where tokens are revoked; of ByStandard alone, the others' are known.
	Endpoint string `yaml:"endpoint"`
	Client   string `yaml:"client"` // id that the provider knows the product by
	Secret   string `yaml:"secret"` // name of the secret that proves it
	Page     string `yaml:"page"`   // where a person ends a connection
}

// Ending says how a provider is asked to end a connection.
type Ending string

// The ways of ending.
const (
	ByStandard   Ending = "rfc7009"
	ByGoogle     Ending = "google"     // all connections of the user with the product end together
	ByGitHub     Ending = "github"     // as ByGoogle
	BySlack      Ending = "slack"      // auth.revoke
	BySalesforce Ending = "salesforce" // at the host of the user's instance
	ByHand       Ending = "hand"       // the provider has no endpoint for it, as Microsoft: a person is asked
)

// Whole reports whether the provider ends all connections of an account with the product when one ends.
func (e Ending) Whole() bool { return e == ByGoogle || e == ByGitHub }

// Grants says what items of an entry hold of the connection each of them is. What holds a token is a field with text as
// the provider gave it: of one that the product keeps encrypted nobody else can make use, and the provider would call it
// unknown, which reads as ended.
type Grants struct {
	Provider string `yaml:"provider"` // id
	// In is the field with the provider's id, where an entry has connections with several. Items with another id are left.
	In    string `yaml:"provider_in"`
	Token string `yaml:"token"` // the refresh token where there is one: the access tokens end with it
	Hint  string `yaml:"hint"`  // refresh_token or access_token (RFC 7009, section 2.1)
	// Account tells the account at the provider. It is searched in all tenants' items at once: Firestore needs an index of the
	// collection group for it. Where an entry has connections with several providers, no two may name their accounts alike.
	Account  string `yaml:"account"`
	Instance string `yaml:"instance"` // of BySalesforce: host of the user's instance
	// Vault says that Token names a secret of Secret Manager, or a version of one, whose name begins so. No other is read
	// or destroyed, whatever an item says.
	Vault string `yaml:"vault"`
}

// fields are all that Grants names.
func (g Grants) fields() []string {
	return slices.DeleteFunc([]string{g.In, g.Token, g.Account, g.Instance}, func(f string) bool { return f == "" })
}

// Provider returns the provider with an id.
func (m *Map) Provider(id string) (Provider, bool) {
	i := slices.IndexFunc(m.Providers, func(p Provider) bool { return p.ID == id })
	if i < 0 {
		return Provider{}, false
	}
	return m.Providers[i], true
}

// Recipient returns the recipient with an id.
func (m *Map) Recipient(id string) (Recipient, bool) {
	i := slices.IndexFunc(m.Recipients, func(r Recipient) bool { return r.ID == id })
	if i < 0 {
		return Recipient{}, false
	}
	return m.Recipients[i], true
}

// Connections returns of steps those whose items are connections. Their searches show what ends them.
func Connections(steps []Step) (all []Step) {
	for _, s := range steps {
		if s.Entry.Grants != nil {
			s.Query.Show = s.Entry.Grants.fields()
			all = append(all, s)
		}
	}
	return all
}

// Search is a Query and the store it is for.
type Search struct {
	Store  string // URL, for erasure.Stores
	Region string
	Query  erasure.Query
}

// Alike returns the searches for the connections of whatever tenant with an account at a provider. It finds what the items
// of each tenant are named, and shows none of them.
func (m *Map) Alike(provider, account string) []Search {
	var all []Search
	for _, e := range m.Entries {
		g := e.Grants
		if g == nil || g.Account == "" || g.Provider != "" && g.Provider != provider {
			continue
		}
		q := erasure.Query{Entry: e.ID, Place: e.Place, Match: erasure.Match{Kind: erasure.MatchEquals, Field: g.Account, Values: []string{account}}}
		q.Tenant = erasure.Tenant{Binding: e.Tenant.binding(), Field: e.Tenant.Field, ID: anyTenant}
		if e.Tenant.Field == "" {
			q.Tenant = erasure.Tenant{Binding: erasure.BindGlobal}
		}
		if e.Tenant.Path {
			q.Place = "**/" + e.Place[strings.LastIndexByte(e.Place, '/')+1:]
		}
		regions := []string{e.Region}
		if e.regional() {
			regions = slices.AppendSeq(regions, maps.Values(m.regions))
		}
		slices.Sort(regions)
		for _, region := range slices.Compact(regions) {
			all = append(all, Search{Store: e.url(region, eraseAccount), Region: region, Query: q})
		}
	}
	return all
}

// anyTenant is none: what is found by a field is found of all tenants.
const anyTenant = "-"

var (
	clientForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,200}$`)
	secretForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)
	vaultForm  = regexp.MustCompile(`^projects/[a-z0-9.:-]{1,100}/secrets/[A-Za-z0-9_-]{3,200}$`)
)

// providers checks the providers, and the entries that hold connections with them.
func (r *reader) providers() {
	ids := map[string]int{}
	for i, p := range r.m.Providers {
		key := at("providers", i)
		r.id(key+".id", p.ID, idForm, allowedID, ids, i)
		r.provider(key, p)
	}
	for i, e := range r.m.Entries {
		if e.Grants != nil {
			r.grants(at("entries", i), e)
		}
	}
	for i, rule := range r.m.Retention {
		if e, known := r.m.Entry(rule.Entry); known && e.Grants != nil {
			r.wrong(at("retention", i)+".entry", "holds connections, which age would erase here and leave at their providers", "another entry")
		}
	}
}

func (r *reader) provider(key string, p Provider) {
	if !oneLine(p.Name, maxText) {
		r.wrong(key+".name", "is no name", "one line")
	}
	if !slices.Contains([]Ending{ByStandard, ByGoogle, ByGitHub, BySlack, BySalesforce, ByHand}, p.By) {
		r.wrong(key+".by", "is no way of ending a connection", "rfc7009, google, github, slack, salesforce, hand")
	}
	if (p.Endpoint != "") != (p.By == ByStandard) || p.Endpoint != "" && !isAddress(p.Endpoint) {
		r.wrong(key+".endpoint", "is no address of a program, or the provider's own is known", "https://HOST/PATH of a provider by rfc7009, and of no other")
	}
	if p.Page != "" && !isAddress(p.Page) || p.Page == "" && p.By == ByHand {
		r.wrong(key+".page", "is no page where a person could end a connection", "https://HOST/PATH")
	}
	named := clientForm.MatchString(p.Client) && secretForm.MatchString(p.Secret)
	if bare := p.Client == "" && p.Secret == ""; !named && (!bare || p.By == ByGitHub) {
		r.wrong(key+".client", "does not go with secret", "the product's id there, and the name of a secret; of github both")
	}
}

func isAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && u.Fragment == "" && len(text) <= 500
}

// grants checks an entry whose items are connections.
func (r *reader) grants(key string, e *Entry) {
	g := e.Grants
	g.Vault, _ = r.projected(key+".grants.vault", g.Vault)
	if !e.Access || e.Action != Delete || e.Select.Contains != "" || e.Select.MapKey != "" || e.Role != Controller {
		r.wrong(key+".grants", "are no items of which each is a connection", "an entry of our own with access: true, action: delete, and items that go as a whole")
	}
	if d, known := drivers[schemeOf(e.Store)]; known && !d.fields {
		r.wrong(key+".grants", "are in a store whose items have no fields", "Firestore, MongoDB, PostgreSQL or a hook")
	}
	if count(g.Provider != "", g.In != "") != 1 {
		r.wrong(key+".grants", "names no provider, or several ways to know it", "provider: ID, or provider_in: FIELD")
	}
	for name, field := range map[string]string{"provider_in": g.In, "token": g.Token, "account": g.Account, "instance": g.Instance} {
		if field == "" && name != "token" {
			continue
		}
		if !isField(field) {
			r.wrong(key+".grants."+name, "is no field", allowedField)
		}
	}
	if !slices.Contains([]string{"", "refresh_token", "access_token"}, g.Hint) {
		r.wrong(key+".grants.hint", "is no kind of token", "refresh_token, access_token")
	}
	if g.Vault != "" && !vaultForm.MatchString(g.Vault) {
		r.wrong(key+".grants.vault", "would let an item name any secret", "projects/{project}/secrets/BEGINNING of at least three letters")
	}
	for _, p := range r.m.Providers {
		if g.Provider == "" || g.Provider == p.ID {
			r.fits(key+".grants", e, p)
		}
	}
	if _, known := r.m.Provider(g.Provider); g.Provider != "" && !known {
		r.wrong(key+".grants.provider", "is no provider", "the id of one of providers")
	}
}

// fits checks that an entry tells what its provider needs to know.
func (r *reader) fits(key string, e *Entry, p Provider) {
	if p.By == BySalesforce && e.Grants.Instance == "" {
		r.wrong(key+".instance", "is missing: the provider is asked at the host of the user's instance", "a field")
	}
	if !p.By.Whole() {
		return
	}
	if e.Grants.Account == "" {
		r.wrong(key+".account", "is missing: the provider ends all connections of an account at once, and nobody could tell who else lives by it", "a field")
	}
	if schemeOf(e.Store) == "https" {
		r.wrong(key+".account", "cannot be searched: a hook finds people by the kinds of their identifiers", "another store, or another provider")
	}
	if e.Tenant.Path && schemeOf(e.Store) != "firestore" {
		r.wrong(key+".account", "cannot be searched across tenants, each of whom has a place of his own here", "an entry that tells its tenant by a field")
	}
}

// gives checks what a recipient is told.
func (r *reader) gives(key string, to Recipient) {
	for _, kind := range to.Gives {
		k, known := r.m.Kind(kind)
		switch {
		case !known:
			r.wrong(key+".gives", "is no kind of identifier", r.allowedKinds())
		case to.By == ByOpenDSR && k.Identity() == "":
			r.wrong(key+".gives", "names a kind for which OpenDSR has no word", "opendsr: controller_customer_id, or another identity type, at the identifier; or by: mail")
		}
	}
	if len(to.Gives) == 0 {
		r.wrong(key+".gives", "is missing: nobody can erase whom he does not know", r.allowedKinds())
	}
	if to.Secret != "" && !secretForm.MatchString(to.Secret) {
		r.wrong(key+".secret", "is no name of a secret", "letters, digits, hyphens and underscores")
	}
}
