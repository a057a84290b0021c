package declarebreach

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/staffed"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/register"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

// media are the types of what is exported, by the end of its name.
var media = map[string]string{"json": "application/json", "csv": "text/csv", "md": "text/markdown", "html": "text/html"}

// filesAPI is the table of what is exported: the register, and the dossier of a case.
func (k *desk) filesAPI() []web.Route {
	file := func(path, format, summary string, handle staffed.Handler, more ...string) web.Route {
		return k.route("GET", path+"."+format, summary, nil, map[int]any{200: web.Media(media[format])}, handle, more...)
	}
	all := []web.Route{
		file("/register", "json", "The register of breaches (GDPR, article 33(5)).", k.looking(k.register("json", register.JSON)), "role_missing"),
		file("/register", "csv", "The register of breaches, as a table; no cell is a formula.", k.looking(k.register("csv", register.CSV)), "role_missing"),
		file("/breaches/{id}/edpb", "json", "The fields of the EDPB's draft form of June 2026, as far as they are known.", k.exported("edpb", "json", k.edpb), "case_unknown"),
	}
	guide := file("/runbook", "md", "What to do in a breach, made from what the company decided.", k.runbook(register.AsMarkdown))
	page := file("/runbook", "html", guide.Summary, k.runbook(register.AsHTML))
	for _, r := range []*web.Route{&guide, &page} {
		r.Params = []web.Param{inLanguage}
		all = append(all, *r)
	}
	for _, format := range register.Formats() {
		one := file("/breaches/{id}/dossier", string(format), "Everything there is of a case; for a tenant, without a word of another.", k.exported("dossier", string(format), k.dossier(format)), "case_unknown", "tenant_unknown")
		one.Params = []web.Param{{Name: "tenant", In: "query", Doc: "what this tenant may see"}, inLanguage}
		all = append(all, one)
	}
	return all
}

var inLanguage = web.Param{Name: "lang", In: "query", Doc: "en, fr or de"}

// runbook answers everybody: whoever finds a breach has to know what to do. Whom the company calls outside is for those who
// may look at cases.
func (k *desk) runbook(format register.Format) staffed.Handler {
	return func(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
		return k.answer(w, "runbook", string(format), func(to io.Writer) error {
			return register.Runbook(to, k.Breach, k.Policy, k.looks(who), format, staffed.Language(r), k.Clock.Now())
		})
	}
}

// register answers with the rows of all cases but exercises, and but those that may be the reader's own matter.
func (k *desk) register(format string, write func(io.Writer, []register.Row) error) staffed.Handler {
	return func(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
		rows, err := k.Rows(r.Context(), func(c cases.Case) bool { return k.sees(c, who) })
		if err != nil {
			return err
		}
		return k.answer(w, "register", format, func(to io.Writer) error { return write(to, rows) })
	}
}

// exporting writes what is exported of a case.
type exporting func(to io.Writer, r *http.Request, f register.File) error

// exported answers with a file about a case.
func (k *desk) exported(name, format string, write exporting) staffed.Handler {
	return func(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
		id, err := k.id(r, who)
		if err != nil {
			return err
		}
		f, err := k.File(r.Context(), id)
		if err != nil {
			return err
		}
		return k.answer(w, name+"-"+f.Case.Number, format, func(to io.Writer) error { return write(to, r, f) })
	}
}

func (k *desk) dossier(format register.Format) exporting {
	return func(to io.Writer, r *http.Request, f register.File) error {
		if tenant := r.URL.Query().Get("tenant"); tenant != "" {
			if !slices.ContainsFunc(f.Case.Tracks, func(t cases.Track) bool { return t.ID == tenant && t.Role == cases.Processor }) {
				return fault.Refuse(fault.Invalid, "tenant_unknown", "The case does not concern that tenant.", "Use one of its tracks.")
			}
			f = register.Extract(f, tenant)
		}
		return register.Dossier(to, f, format, staffed.Language(r))
	}
}

func (k *desk) edpb(to io.Writer, _ *http.Request, f register.File) error {
	return encode(to, register.EDPB(f))
}

// answer sends a file to be kept: whole, or not at all.
func (k *desk) answer(w http.ResponseWriter, name, format string, write func(io.Writer) error) error {
	var out bytes.Buffer
	if err := write(&out); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", media[format]+charset(format))
	h.Set("Content-Disposition", `attachment; filename="`+name+"."+format+`"`)
	h.Set("Content-Length", strconv.Itoa(out.Len()))
	w.WriteHeader(http.StatusOK)
	_, _ = out.WriteTo(w) // nobody is left to read about an error of the connection
	return nil
}

// charset follows the type of texts; of JSON it is known (RFC 8259).
func charset(format string) string {
	if format == "json" {
		return ""
	}
	return "; charset=utf-8"
}

func encode(to io.Writer, v any) error {
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}
