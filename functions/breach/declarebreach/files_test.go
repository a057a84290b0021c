package declarebreach

import (
	"strings"
	"testing"

	"ostiary.internal/functions/internal/functiontest"
)

// What is exported is whole, of the right type, and to be kept; a tenant's holds no word of another, and an exercise is in
// no register.
func files(t *testing.T) {
	t.Parallel()
	w, path, _ := written(t, nil)
	do(t, w, asha, "POST", "/breaches", found(object{"client_id": "x", "exercise": true}), 201, "")
	for name, want := range map[string]struct{ media, holds string }{
		"/register.json": {"application/json", `"tenant"`}, "/register.csv": {"text/csv; charset=utf-8", "Banque du Port"},
		path + "/dossier.json": {"application/json", "Banque du Port"}, path + "/dossier.md": {"text/markdown; charset=utf-8", "Banque du Port"}, path + "/dossier.html?lang=de": {"text/html; charset=utf-8", `lang="de"`},
		path + "/edpb.json": {"application/json", "{"}, "/runbook.md": {"text/markdown; charset=utf-8", "#"}, "/runbook.html?lang=fr": {"text/html; charset=utf-8", `lang="fr"`},
	} {
		got := do(t, w, aurel, "GET", name, nil, 200, "")
		if got.Header.Get("Content-Type") != want.media || !strings.Contains(string(got.Body), want.holds) || !strings.HasPrefix(got.Header.Get("Content-Disposition"), "attachment; filename=") {
			t.Errorf("%s: %s %s, %d bytes: %.300s", name, got.Header.Get("Content-Type"), got.Header.Get("Content-Disposition"), len(got.Body), got.Body)
		}
	}
	var rows []any
	if do(t, w, aurel, "GET", "/register.json", nil, 200, "").Decode(t, &rows); len(rows) != 1 {
		t.Errorf("%d rows", len(rows))
	}
	for _, format := range []string{"json", "md", "html"} {
		one := path + "/dossier." + format
		if got := do(t, w, simone, "GET", one+"?tenant=klinik-am-see", nil, 200, ""); strings.Contains(strings.ToLower(string(got.Body)), "banque") || !strings.Contains(string(got.Body), "Klinik am See") {
			t.Errorf("%s tells of another: %.300s", format, got.Body)
		}
		do(t, w, simone, "GET", one+"?tenant=northwind", nil, 400, "tenant_unknown")
		do(t, w, simone, "GET", "/breaches/none/dossier."+format, nil, 404, "case_unknown")
		do(t, w, asha, "GET", one, nil, 404, "case_unknown")
	}
	for who, whole := range map[string]bool{asha: false, omkar: true, aurel: true} { // who finds a breach, who is called, who audits
		for _, format := range []string{"md", "html"} {
			got := string(do(t, w, who, "GET", "/runbook."+format, nil, 200, "").Body)
			for _, private := range []string{"astreinte@", "klinikamsee.example", "hill-house.example"} {
				if strings.Contains(strings.ReplaceAll(got, `\`, ""), private) != whole {
					t.Errorf("%s of %s holds %s: %t", format, who, private, !whole)
				}
			}
		}
	}
	do(t, w, asha, "GET", path+"/edpb.json", nil, 404, "case_unknown")
	for _, name := range []string{"/register.json", "/register.csv"} {
		do(t, w, emma, "GET", name, nil, 403, "role_missing")
	}
}

// exports are all that is exported, about the case of a path.
func exports(w *functiontest.World, path string) (all []functiontest.Request) {
	for _, name := range []string{"/runbook.md", "/runbook.html", "/register.json", "/register.csv", path + "/edpb.json", path + "/dossier.json", path + "/dossier.md", path + "/dossier.html"} {
		all = append(all, call(w, simone, "GET", name, nil))
	}
	return all
}
