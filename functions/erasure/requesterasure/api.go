package requesterasure

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

// secretHeader carries what shows a request.
const secretHeader = "Request-Secret"

// api is the table of the JSON interface.
func (a *asking) api() []web.Route {
	secret := []web.Param{{Name: secretHeader, In: "header", Doc: "the request's secret, or the code from the mail; a code in the body counts before it"}}
	seen := map[int]any{200: request.View{}}
	return []web.Route{
		{Method: "POST", Path: "/v1/requests", Summary: "Ask for somebody to be forgotten. A bearer token of the product's issuer says who is signed in.", Body: NewRequest{},
			Answers: map[int]any{202: Taken{}}, Handle: open(a.take),
			Problems: []string{"body_invalid", "too_large", "identifier_invalid", "not_allowed", "other_tenant", "reauthenticate", "unauthenticated", "too_many", "unavailable"}},
		{Method: "GET", Path: "/v1/requests/{number}", Summary: "How far a request has come.", Params: secret, Answers: seen, Handle: open(a.status), Problems: []string{"request_unknown", "unavailable"}},
		{Method: "POST", Path: "/v1/requests/{number}/confirm", Summary: "Confirm it with the code from the mail.", Params: secret, Answers: seen, Handle: open(a.confirm),
			Problems: []string{"token_invalid", "token_used", "body_invalid", "too_large", "unavailable"}},
		{Method: "POST", Path: "/v1/requests/{number}/cancel", Summary: "Take it back, before anything is erased.", Params: secret, Answers: seen, Handle: open(a.cancel),
			Problems: []string{"request_unknown", "too_late", "state_conflict", "body_invalid", "too_large", "unavailable"}},
		{Method: "POST", Path: "/v1/requests/{number}/close", Summary: "As the last owner of an account, have it closed with everything in it.", Params: secret, Answers: seen, Handle: open(a.close),
			Problems: []string{"request_unknown", "state_conflict", "body_invalid", "too_large", "unavailable"}},
		{Method: "POST", Path: "/v1/requests/{number}/renew", Summary: "Send another mail, if there was one to send.", Params: secret, Answers: map[int]any{204: nil}, Handle: open(a.renew),
			Problems: []string{"request_unknown", "body_invalid", "too_large", "unavailable"}},
		{Method: "GET", Path: "/v1/requests/{number}/receipt", Summary: "The newest signed receipt, as a file.", Params: secret, Answers: map[int]any{200: web.Media("application/json")}, Handle: open(a.receipt),
			Problems: []string{"request_unknown", "receipt_missing", "unavailable"}},
		{Method: "GET", Path: "/opendsr/v2/discovery", Summary: "How customers' programs instruct to erase, as OpenDSR has it. The instructions themselves go to opendsr.",
			Answers: map[int]any{200: opendsr.Discovery{}}, Handle: open(a.discovery), Problems: []string{"not_served", "unavailable"}},
		{Method: "GET", Path: "/opendsr/v2/certificate", Summary: "The certificate with whose key answers to those programs are signed, in PEM.",
			Answers: map[int]any{200: web.Media("application/x-pem-file")}, Handle: open(a.certificate), Problems: []string{"not_served", "unavailable"}},
	}
}

func (a *asking) take(w http.ResponseWriter, r *http.Request) error {
	who, signed, err := a.gate.Customer(r)
	if err != nil {
		return err
	}
	body, _, err := web.DecodeBody[NewRequest](w, r)
	if err != nil {
		return err
	}
	own, around := a.network(r)
	ask := request.Ask{
		Source: own, Around: around, Tenant: a.tenant(body.Tenant), Kind: request.Kind(body.Kind), Email: body.Email, UID: body.UID,
		Mandate: body.Mandate, Export: body.Export, Language: body.Language,
	}
	if ask.Language == "" {
		ask.Language = web.Language(r, shell.Languages...)
	}
	if signed {
		ask.Session, ask.Source = session(who), "session "+who.Subject
	}
	made, err := a.ask(r.Context(), ask)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusAccepted, Taken{ID: made.ID, Number: made.Number, State: string(made.State), Due: made.Due, Secret: made.Secret, Unsearched: made.Unsearched})
}

func (a *asking) ask(ctx context.Context, ask request.Ask) (request.Receipt, error) {
	requests, err := a.Requests(ctx)
	if err != nil {
		return request.Receipt{}, err
	}
	return requests.Ask(ctx, ask, a.Clock.Now())
}

// session is what the product's issuer says of who is signed in. Whoever it does not call more is a member.
func session(c caller.Customer) *request.Session {
	s := &request.Session{UID: c.Subject, Email: c.Email, Tenant: c.Tenant, Role: request.Subject, At: c.At}
	switch c.Role {
	case "owner", string(request.TenantOwner):
		s.Role = request.TenantOwner
	case "admin", string(request.TenantAdmin):
		s.Role = request.TenantAdmin
	}
	return s
}

// network is whose repetitions are counted together: those of one /24 or /64, and of all whose address is unknown; and the wider ones
// it is of, as whoever has one /64 often has 65,536 of them.
func (a *asking) network(r *http.Request) (own string, around []string) {
	client, err := a.Client.Client(r)
	if err != nil {
		return "unknown", nil
	}
	masked := func(bits int) string { return netip.PrefixFrom(client, bits).Masked().String() }
	if client.Is4() {
		return masked(24), []string{masked(16)}
	}
	return masked(64), []string{masked(48)}
}

// tenant is the id of the organisation that is meant by an id, a name or a domain. Of one that is none of ours the words go
// on as an id: nobody learns here who our customers are.
func (a *asking) tenant(words string) string {
	words = strings.Join(strings.Fields(words), " ")
	for _, t := range a.Policy.Tenants {
		if strings.EqualFold(words, t.ID) || strings.EqualFold(words, t.Name) {
			return t.ID
		}
		for _, domain := range t.Domains {
			if strings.EqualFold(strings.TrimPrefix(strings.ToLower(words), "www."), domain) {
				return t.ID
			}
		}
	}
	id := strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' {
			return r
		}
		return '-'
	}, words), "-._")
	if words != "" && (id == "" || len(id) > longestID) {
		sum := sha256.Sum256([]byte(words)) // words that make no id are taken like any other
		id = "unknown-" + hex.EncodeToString(sum[:8])
	}
	return id
}

// longestID is how long an id of an organisation is at most.
const longestID = 128

// secret is what the caller shows. Whoever goes on sending what showed the request gives the code from her mail in the body
// of a POST: it counts before the header, which counts before the secret of a body.
func secret(w http.ResponseWriter, r *http.Request) (string, error) {
	shown := r.Header.Get(secretHeader)
	if r.Method == http.MethodGet || r.Method == http.MethodHead || shown != "" && r.ContentLength == 0 {
		return shown, nil
	}
	body, _, err := web.DecodeBody[Code](w, r)
	return cmp.Or(body.Code, shown, body.Secret), err
}

// deed is what somebody does to a request by its number and what proves that she may.
type deed func(s *request.Service, number, secret string, now time.Time) (request.View, error)

func (a *asking) do(w http.ResponseWriter, r *http.Request, act deed) (request.View, error) {
	shown, err := secret(w, r)
	if err != nil {
		return request.View{}, err
	}
	requests, err := a.Requests(r.Context())
	if err != nil {
		return request.View{}, err
	}
	return act(requests, r.PathValue("number"), shown, a.Clock.Now())
}

func (a *asking) answer(w http.ResponseWriter, r *http.Request, act deed) error {
	v, err := a.do(w, r, act)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, v)
}

func (a *asking) status(w http.ResponseWriter, r *http.Request) error {
	return a.answer(w, r, look(r.Context()))
}

func look(ctx context.Context) deed {
	return func(s *request.Service, number, secret string, now time.Time) (request.View, error) {
		return s.Status(ctx, number, secret, now)
	}
}

func (a *asking) confirm(w http.ResponseWriter, r *http.Request) error {
	return a.answer(w, r, func(s *request.Service, number, secret string, now time.Time) (request.View, error) {
		return s.Confirm(r.Context(), number, secret, now)
	})
}

func (a *asking) cancel(w http.ResponseWriter, r *http.Request) error {
	return a.answer(w, r, func(s *request.Service, number, secret string, now time.Time) (request.View, error) {
		return s.Cancel(r.Context(), number, secret, now)
	})
}

func (a *asking) close(w http.ResponseWriter, r *http.Request) error {
	return a.answer(w, r, func(s *request.Service, number, secret string, now time.Time) (request.View, error) {
		return s.CloseAccount(r.Context(), number, secret, now)
	})
}

func (a *asking) renew(w http.ResponseWriter, r *http.Request) error {
	_, err := a.do(w, r, func(s *request.Service, number, secret string, now time.Time) (request.View, error) {
		return request.View{}, s.Renew(r.Context(), number, secret, now)
	})
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

func (a *asking) receipt(w http.ResponseWriter, r *http.Request) error {
	v, err := a.do(w, r, look(r.Context()))
	if err != nil {
		return err
	}
	return a.download(w, r, v)
}

// download answers the newest signed receipt of a request that whoever looks may have.
func (a *asking) download(w http.ResponseWriter, r *http.Request, v request.View) error {
	file, err := a.file(r.Context(), v)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", `attachment; filename="receipt-`+spoken(v.Number)+`.json"`)
	_, err = w.Write(file)
	return err
}

// file is the newest signed receipt. Code: receipt_missing.
func (a *asking) file(ctx context.Context, v request.View) ([]byte, error) {
	missing := fault.Refuse(fault.NotFound, "receipt_missing", "There is no signed receipt yet.", "It is there soon after the first search that follows the erasing.")
	if v.Counts == "" {
		return nil, missing
	}
	book, err := a.Book(ctx)
	if err != nil {
		return nil, err
	}
	file, err := book.File(ctx, v.Counts)
	if fault.Is(err, fault.NotFound) || err == nil && len(file) == 0 {
		return nil, missing
	}
	return file, err
}
