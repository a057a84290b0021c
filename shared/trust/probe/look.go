package probe

import (
	"context"
	"encoding/json"
	"html"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// look asks the eye what a probe wants to know of one target.
func (s *Service) look(ctx context.Context, name Name, target string, wanted []order, now time.Time) Sight {
	switch name {
	case TLSVersion:
		return s.versions(ctx, target)
	case CertificateValid:
		return s.certificate(ctx, target, now)
	case HTTPSRedirect:
		return s.redirect(ctx, target)
	case SecurityHeaders:
		return s.headers(ctx, target)
	case RefusesAnonymous:
		return s.refuses(ctx, target)
	case RefusesForeign:
		return s.foreign(ctx, target)
	case MalformedRefused:
		return s.malformed(ctx, target)
	case StatusPageAge:
		return s.age(ctx, target, now)
	case PolicyPageText:
		return s.text(ctx, target, wanted)
	}
	return unseen("unknown-probe")
}

// versions finds the oldest version a host accepts, as 10 to 13.
func (s *Service) versions(ctx context.Context, host string) Sight {
	best, err := s.Eye.Shake(ctx, host, 13)
	if err != nil || best.Refused {
		return unseen("unreachable")
	}
	oldest := best.Version
	for version := oldest - 1; version >= 10; version-- {
		met, err := s.Eye.Shake(ctx, host, version)
		if err != nil {
			return unseen("unreachable")
		}
		if met.Refused {
			break
		}
		oldest = min(oldest, met.Version)
	}
	return Sight{Seen: true, Good: true, Value: int64(oldest)}
}

// certificate tells the days a certificate is still good for; one that is not trusted is not good.
func (s *Service) certificate(ctx context.Context, host string, now time.Time) Sight {
	met, err := s.Eye.Shake(ctx, host, 13)
	if err != nil || met.Refused {
		return unseen("unreachable")
	}
	seen := Sight{Seen: true, Good: met.Trusted && now.Before(met.NotAfter), Value: int64(met.NotAfter.Sub(now) / (24 * time.Hour)), Word: met.Signature}
	if !met.Trusted {
		seen.Detail = "not-trusted"
	}
	return seen
}

// redirect asks in clear: what answers must send to https on the same host.
func (s *Service) redirect(ctx context.Context, host string) Sight {
	name, _, _ := strings.Cut(host, ":")
	got, err := s.Eye.Ask(ctx, "http://"+name+"/", "")
	if err != nil {
		return unseen("unreachable")
	}
	if got.Closed {
		return Sight{Seen: true, Good: true, Detail: "closed"}
	}
	to, ok := address(got.Location)
	moved := slices.Contains([]int{301, 302, 303, 307, 308}, got.Status)
	return Sight{Seen: true, Good: moved && ok && to.Hostname() == name, Detail: "status-" + strconv.Itoa(got.Status)}
}

// hstsLeast is half a year, in seconds.
const hstsLeast = 15_552_000

var maxAge = regexp.MustCompile(`(?i)(?:^|;)\s*max-age\s*=\s*"?(\d{1,10})"?\s*(?:;|$)`)

// headers counts the headers that are missing.
func (s *Service) headers(ctx context.Context, host string) Sight {
	got, err := s.Eye.Ask(ctx, "https://"+host+"/", "")
	if err != nil || got.Closed || got.Status >= 500 {
		return unseen("unreachable")
	}
	var missing []string
	age := maxAge.FindStringSubmatch(got.Header["strict-transport-security"])
	if n := 0; len(age) == 2 {
		n, _ = strconv.Atoi(age[1])
		if n < hstsLeast {
			missing = append(missing, "hsts")
		}
	} else {
		missing = append(missing, "hsts")
	}
	if !strings.EqualFold(strings.TrimSpace(got.Header["x-content-type-options"]), "nosniff") {
		missing = append(missing, "nosniff")
	}
	if got.Header["content-security-policy"] == "" && got.Header["x-frame-options"] == "" {
		missing = append(missing, "frame-policy")
	}
	return Sight{Seen: true, Good: len(missing) == 0, Value: int64(len(missing)), Detail: strings.Join(missing, "+")}
}

// refuses asks without a token. An address that answers with an OpenAPI document stands for the interface it describes:
// every operation of it that reads, and wants a token, is asked.
func (s *Service) refuses(ctx context.Context, target string) Sight {
	first, err := s.Eye.Ask(ctx, target, "")
	if err != nil || first.Closed || first.Status >= 500 {
		return unseen("unreachable")
	}
	if first.Status == 401 || first.Status == 403 {
		return Sight{Seen: true, Good: true, Value: 1}
	}
	paths, ok := guarded(first.Body)
	if !ok {
		return Sight{Seen: true, Detail: "answered-" + strconv.Itoa(first.Status)}
	}
	base, _ := address(target)
	if len(paths) == 0 {
		return unseen("nothing-guarded")
	}
	for _, path := range paths {
		got, err := s.Eye.Ask(ctx, base.Scheme+"://"+base.Host+path, "")
		if err != nil || got.Closed || got.Status >= 500 {
			return unseen("unreachable")
		}
		if got.Status != 401 && got.Status != 403 {
			return Sight{Seen: true, Value: int64(len(paths)), Detail: "answered-" + strconv.Itoa(got.Status)}
		}
	}
	return Sight{Seen: true, Good: true, Value: int64(len(paths))}
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

// foreign asks for what belongs to another tenant than the token.
func (s *Service) foreign(ctx context.Context, target string) Sight {
	if s.Canary == nil {
		return unseen("no-canary-token")
	}
	token, err := s.Canary(ctx)
	if err != nil || len(token) == 0 {
		return unseen("no-canary-token")
	}
	got, err := s.Eye.Ask(ctx, target, string(token))
	if err != nil || got.Closed || got.Status >= 500 {
		return unseen("unreachable")
	}
	return Sight{Seen: true, Good: got.Status == 401 || got.Status == 403 || got.Status == 404, Detail: "status-" + strconv.Itoa(got.Status)}
}

// broken are requests no server should take: RFC 9112 sections 3, 5.1, 6.1, 6.3; and one that carries SQL.
func broken(host string) []string {
	head := " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\nUser-Agent: ostiary-probe\r\n"
	return []string{
		"GET /" + head + "Content-Length: abc\r\n\r\n",
		"POST /" + head + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nzzzz",
		"GET /" + head + "Bad Name : x\r\n\r\n",
		"GET  / HTTP/9.9.9\r\nHost: " + host + "\r\n\r\n",
		"GET /?id=1%27%20OR%20%271%27%3D%271%27%20UNION%20SELECT%20password%20FROM%20users--" + head + "\r\n",
	}
}

// malformed counts the broken requests that were taken.
func (s *Service) malformed(ctx context.Context, host string) Sight {
	taken := 0
	for _, request := range broken(host) {
		got, err := s.Eye.Send(ctx, host, []byte(request))
		if err != nil || got.Status >= 500 && got.Status != 501 && got.Status != 505 {
			return unseen("unreachable")
		}
		if !got.Closed && got.Status < 400 {
			taken++
		}
	}
	return Sight{Seen: true, Good: taken == 0, Value: int64(taken)}
}

// age tells how old a page is, in seconds.
func (s *Service) age(ctx context.Context, target string, now time.Time) Sight {
	got, err := s.Eye.Ask(ctx, target, "")
	if err != nil || got.Closed || got.Status != 200 {
		return unseen("unreachable")
	}
	at := got.Date
	var told struct {
		Updated time.Time `json:"updated_at"`
		Page    struct {
			Updated time.Time `json:"updated_at"`
		} `json:"page"`
	}
	if json.Unmarshal(got.Body, &told) == nil {
		for _, t := range []time.Time{told.Updated, told.Page.Updated} {
			if !t.IsZero() {
				at = t
			}
		}
	}
	if at.IsZero() || at.After(now.Add(5*time.Minute)) {
		return unseen("no-date")
	}
	return Sight{Seen: true, Good: true, Value: int64(max(now.Sub(at), 0) / time.Second)}
}

var (
	hidden = regexp.MustCompile(`(?is)<(script|style|noscript|template)\b.*?</(script|style|noscript|template)>|<!--.*?-->`)
	tag    = regexp.MustCompile(`<[^>]*>`)
	space  = regexp.MustCompile(`[\s\x{00a0}\x{202f}\x{200b}]+`)
)

// plain is what a reader sees of a page, or of a sentence: without markup, with single spaces.
func plain(text string) string {
	text = hidden.ReplaceAllString(text, " ")
	return strings.TrimSpace(space.ReplaceAllString(html.UnescapeString(tag.ReplaceAllString(text, " ")), " "))
}

// text looks for the sentences of the promises on a page.
func (s *Service) text(ctx context.Context, target string, wanted []order) Sight {
	got, err := s.Eye.Ask(ctx, target, "")
	if err != nil || got.Closed || got.Status != 200 {
		return unseen("unreachable")
	}
	page := loose(plain(string(got.Body)))
	seen := Sight{Seen: true, Good: true}
	for _, o := range wanted {
		for _, language := range []string{"en", "fr", "de"} {
			if sentence := loose(plain(o.promise.Text.In(language))); sentence != "" && strings.Contains(page, sentence) {
				seen.Found = append(seen.Found, o.promise.ID)
				break
			}
		}
	}
	return seen
}

// loose leaves out what markup between words does to spaces.
func loose(text string) string { return strings.ReplaceAll(text, " ", "") }
