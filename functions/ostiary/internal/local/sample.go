package local

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/local"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"
	"ostiary.internal/testdata/sample"
)

const erasureControl = "erasure"

// data is the sample data, which stands for every store of the data map.
type data struct {
	file string // a bbolt file, with a tree for each store
	m    *datamap.Map
}

// document is one document of sample data as it is shown, or put there.
type document struct {
	Entry   string         `json:"entry,omitempty"`
	Tenant  string         `json:"tenant,omitempty"`
	Store   string         `json:"store,omitempty"`
	Place   string         `json:"place,omitempty"`
	Name    string         `json:"name"`
	Created time.Time      `json:"created,omitzero"`
	Fields  map[string]any `json:"fields"`
}

// erasureOff refuses what needs the erasure control when the policy switches it off.
func (w *World) erasureOff() error {
	if w.data.m != nil {
		return nil
	}
	return fault.Refuse(fault.NotFound, "erasure_off", "The policy has no "+datamap.File+", so the erasure control is off.",
		"Put one into the policy folder and start again.")
}

// openData reads the data map, and puts the sample data there once: whoever was erased does not come back with the next start.
func (w *World) openData(database string) error {
	m, problems := datamap.Read(w.policy)
	if err := policy.Refuse(problems); err != nil {
		return err
	}
	if w.data = (data{file: database, m: m}); m == nil {
		return nil
	}
	begun, err := local.Open(database, "begun")
	if err != nil {
		return err
	}
	w.closers = append(w.closers, begun)
	once := false
	if err := begun.Each(func(string, string, map[string]any) error { once = true; return nil }); err != nil || once {
		return err
	}
	var docs []document
	for _, tenant := range sample.Twins {
		if _, known := w.policy.Tenant(tenant); !known {
			continue
		}
		all, err := sample.Of(tenant)
		if err != nil {
			return err
		}
		for entry, list := range all {
			if _, mapped := m.Entry(entry); !mapped {
				continue
			}
			for _, doc := range list {
				docs = append(docs, document{Entry: entry, Tenant: tenant, Name: doc.Name, Created: doc.Created, Fields: doc.Fields})
			}
		}
	}
	if err := w.data.put(docs...); err != nil {
		return err
	}
	return begun.Put("", "begun", map[string]any{}, w.clock.Now())
}

// base is what a store's own URL is put behind to open its tree.
func (d data) base() string {
	return driver.URL("bolt", d.file, "tree", "")
}

// put writes documents to where the map has their entries. NotFound: it has none of the name.
func (d data) put(docs ...document) error {
	stores := map[string][]local.Named{}
	for _, doc := range docs {
		store, place, err := d.m.Where(doc.Entry, doc.Tenant)
		if fault.Is(err, fault.NotFound) {
			return fault.Refuse(fault.NotFound, "entry_unknown", "The data map has no entry "+doc.Entry+" with data of a customer.", "Take one from ostiary erase plan.")
		}
		if err != nil {
			return err
		}
		store = erasure.Bare(store)
		stores[store] = append(stores[store], local.Named{Place: place, Name: doc.Name, Fields: doc.Fields, Created: doc.Created})
	}
	for store, docs := range stores {
		tree, err := local.Open(d.file, store)
		if err != nil {
			return err
		}
		if err := errors.Join(tree.Fill(docs), tree.Close()); err != nil {
			return err
		}
	}
	return nil
}

// all returns every document of a tenant, or of all of them, store by store, place by place and name by name.
func (d data) all(tenant string) ([]document, error) {
	found := []document{}
	seen := map[string]bool{}
	for _, store := range d.m.Stores() {
		name := erasure.Bare(store)
		if seen[name] {
			continue
		}
		seen[name] = true
		tree, err := local.Open(d.file, name)
		if err != nil {
			return nil, err
		}
		err = tree.Each(func(place, id string, fields map[string]any) error {
			if whose := tenantOf(place, id, fields); tenant == "" || whose == tenant {
				found = append(found, document{Tenant: whose, Store: name, Place: place, Name: id, Fields: fields})
			}
			return nil
		})
		if err = errors.Join(err, tree.Close()); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// tenantOf is the tenant of a document: the part of its path behind "tenants", or what a field says.
func tenantOf(place, name string, fields map[string]any) string {
	path := strings.Split(place+"/"+name, "/")
	if i := slices.Index(path, "tenants"); i >= 0 && i+1 < len(path) {
		return path[i+1]
	}
	for _, field := range []string{"tenant", "id"} {
		if id, is := fields[field].(string); is {
			return id
		}
	}
	return ""
}

// readData shows the sample data, as a page or as JSON that is the same for the same data.
func (w *World) readData(rw http.ResponseWriter, r *http.Request) error {
	if err := w.erasureOff(); err != nil {
		return err
	}
	all, err := w.data.all(r.URL.Query().Get("tenant"))
	if err != nil {
		return err
	}
	if !wantsPage(r) {
		return pretty(rw, map[string]any{"documents": all})
	}
	type row struct{ Tenant, Place, Name, Fields string }
	var rows []row
	for _, d := range all {
		text, err := json.Marshal(d.Fields)
		if err != nil {
			return err
		}
		rows = append(rows, row{d.Tenant, strings.TrimSuffix(d.Store+"/"+d.Place, "/"), d.Name, string(text)})
	}
	slices.SortStableFunc(rows, func(a, b row) int { return strings.Compare(a.Tenant, b.Tenant) })
	return w.show(rw, "data.html", map[string]any{"Rows": rows, "Twins": sample.Twins})
}

// writeData puts a document into the sample data, or several at once, as the product would.
func (w *World) writeData(rw http.ResponseWriter, r *http.Request) error {
	if err := w.erasureOff(); err != nil {
		return err
	}
	var body struct {
		document
		Documents []document `json:"documents"`
	}
	if err := decode(rw, r, &body); err != nil {
		return err
	}
	docs := body.Documents
	if len(docs) == 0 {
		docs = []document{body.document}
	}
	for i := range docs {
		if docs[i].Created.IsZero() {
			docs[i].Created = w.clock.Now()
		}
	}
	if err := w.data.put(docs...); err != nil {
		return err
	}
	return web.WriteJSON(rw, http.StatusCreated, map[string]int{"written": len(docs)})
}
