package probe

import (
	"context"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// refuses asks without a token. An address that answers with an OpenAPI document stands for the interface it describes:
// every operation of it that reads, and wants a token, is asked. 401 says what is missing; 403 may be said to whoever
// asks from here, so something on the same host has to answer openly.
func (s *Service) refuses(ctx context.Context, target string) Sight {
	first, err := s.Eye.Ask(ctx, target, "")
	if err != nil || first.Closed {
		return unseen("unreachable")
	}
	base, _ := address(target)
	host := base.Scheme + "://" + base.Host
	switch {
	case first.Status == 401:
		return Sight{Seen: true, Good: true, Value: 1}
	case first.Status == 403:
		if !s.open(ctx, host+"/") {
			return unseen("all-is-forbidden")
		}
		return Sight{Seen: true, Good: true, Value: 1}
	case first.Status/100 != 2:
		return unseen(status(first))
	case first.Cut:
		return unseen("too-large")
	}
	paths, ok := guarded(first.Body)
	if !ok {
		return Sight{Seen: true, Detail: "answered-without-token"}
	}
	if len(paths) == 0 {
		return unseen("nothing-guarded")
	}
	return s.eachRefuses(ctx, host, paths, target)
}

// eachRefuses asks for every path; control is an address of the same host that was answered before.
func (s *Service) eachRefuses(ctx context.Context, host string, paths []string, control string) Sight {
	forbidden := false
	for _, path := range paths {
		got, err := s.Eye.Ask(ctx, host+path, "")
		switch {
		case err != nil || got.Closed:
			return unseen("unreachable")
		case got.Status/100 == 2:
			return Sight{Seen: true, Value: int64(len(paths)), Detail: "answered-without-token"}
		case got.Status != 401 && got.Status != 403:
			return unseen(status(got))
		}
		forbidden = forbidden || got.Status == 403
	}
	if forbidden && !s.open(ctx, control) {
		return unseen("all-is-forbidden")
	}
	return Sight{Seen: true, Good: true, Value: int64(len(paths))}
}

// open reports whether an address says anything to anybody.
func (s *Service) open(ctx context.Context, target string) bool {
	_, why := s.page(ctx, target)
	return why == ""
}

// mostPaths is how many operations of one interface are asked.
const mostPaths = 12

var parameter = regexp.MustCompile(`\{[^}/]*\}`)

// guarded returns the paths of an OpenAPI document whose GET wants a token, and whether it is such a document.
func guarded(document []byte) ([]string, bool) {
	var doc struct {
		OpenAPI  string                `json:"openapi"`
		Security []map[string][]string `json:"security"`
		Paths    map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(document, &doc); err != nil || doc.OpenAPI == "" {
		return nil, false
	}
	var paths []string
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		raw, reads := doc.Paths[path]["get"]
		if !reads || !strings.HasPrefix(path, "/") {
			continue
		}
		var get struct {
			Security *[]map[string][]string `json:"security"`
		}
		if err := json.Unmarshal(raw, &get); err != nil {
			continue
		}
		wants := len(doc.Security) > 0
		if get.Security != nil {
			wants = len(*get.Security) > 0
		}
		if wants && len(paths) < mostPaths {
			paths = append(paths, parameter.ReplaceAllString(path, "1"))
		}
	}
	return paths, true
}

// foreign asks for what belongs to another tenant than the token. That this is refused counts only when the same address
// of the token's own tenant is answered with it, before and after, and to nobody without it.
func (s *Service) foreign(ctx context.Context, target string) Sight {
	if s.Canary == nil {
		return unseen("no-canary-token")
	}
	secret, err := s.Canary(ctx)
	token := strings.TrimSpace(string(secret))
	if err != nil || token == "" {
		return unseen("no-canary-token")
	}
	own, other, _ := tenants(target)
	answered := func(bearer string) bool {
		got, err := s.Eye.Ask(ctx, own, bearer)
		return err == nil && !got.Closed && got.Status == 200 && len(got.Body) > 0
	}
	before := answered(token)
	got, err := s.Eye.Ask(ctx, other, token)
	switch {
	case err != nil || got.Closed:
		return unseen("unreachable")
	case got.Status/100 == 2:
		return Sight{Seen: true, Detail: status(got)}
	case got.Status != 401 && got.Status != 403 && got.Status != 404:
		return unseen(status(got))
	case !before || !answered(token):
		return unseen("own-tenant-not-answered")
	case answered(""):
		return unseen("own-tenant-is-open")
	}
	return Sight{Seen: true, Good: true, Detail: status(got)}
}

// Requests of one host: one that every server takes, and some no server should take: RFC 9112 sections 3, 5.1, 6.1, 6.3;
// and one that carries SQL.
func whole(host string) []byte { return []byte("GET /" + head(host) + "\r\n") }

func head(host string) string {
	return " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\nUser-Agent: ostiary-probe\r\n"
}

func broken(host string) []string {
	head := head(host)
	return []string{
		"GET /" + head + "Content-Length: abc\r\n\r\n",
		"POST /" + head + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nzzzz",
		"GET /" + head + "Bad Name : x\r\n\r\n",
		"GET  / HTTP/9.9.9\r\nHost: " + host + "\r\n\r\n",
		"GET /?id=1%27%20OR%20%271%27%3D%271%27%20UNION%20SELECT%20password%20FROM%20users--" + head + "\r\n",
	}
}

// malformed counts the broken requests that were taken. That none was counts only when each was answered with a refusal,
// and whole requests before and after them were not refused like that.
func (s *Service) malformed(ctx context.Context, host string) Sight {
	before, err := s.Eye.Send(ctx, host, whole(host))
	if err != nil {
		return unseen("unreachable")
	}
	taken, unclear := 0, ""
	for _, request := range broken(host) {
		got, err := s.Eye.Send(ctx, host, []byte(request))
		switch {
		case err != nil:
			unclear = "line-cut"
		case got.Status < 400:
			taken++
		case !isRefusal(got.Status) || got.Status == before.Status:
			unclear = status(got)
		}
	}
	after, err := s.Eye.Send(ctx, host, whole(host))
	switch {
	case taken > 0:
		return Sight{Seen: true, Value: int64(taken)}
	case unclear != "":
		return unseen(unclear)
	case err != nil || after.Status != before.Status || after.Status >= 500:
		return unseen("whole-requests-not-answered")
	}
	return Sight{Seen: true, Good: true}
}

// isRefusal reports whether a status says that the request itself is wrong: not that there were too many, or that the
// server waited in vain, or is broken. RFC 9110, sections 15.5 and 15.6.
func isRefusal(code int) bool {
	return code >= 400 && code < 500 && code != 408 && code != 429 || code == 501 || code == 505
}
