package probe

import (
	"context"
	"encoding/json"
	"html"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// hstsLeast is half a year, in seconds.
const hstsLeast = 15_552_000

var maxAge = regexp.MustCompile(`(?i)(?:^|;)\s*max-age\s*=\s*"?(\d{1,10})"?\s*(?:;|$)`)

// headers counts the headers that a host's first page lacks.
func (s *Service) headers(ctx context.Context, host string) Sight {
	got, why := s.page(ctx, "https://"+host+"/")
	if why != "" {
		return unseen(why)
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

// age tells how old a page is, in seconds.
func (s *Service) age(ctx context.Context, target string, now time.Time) Sight {
	got, why := s.page(ctx, target)
	if why != "" {
		return unseen(why)
	}
	at := got.Date
	var told struct {
		Updated time.Time `json:"updated_at"`
		Page    struct {
			Updated time.Time `json:"updated_at"`
		} `json:"page"`
	}
	if got.Cut { // what the page says of itself may stand in the rest
		return unseen("too-large")
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
	hidden = regexp.MustCompile(`(?is)<(script|style|noscript|template)\b.*?</(script|style|noscript|template)>|<!--.*?(-->|$)`)
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
	got, why := s.page(ctx, target)
	if why != "" {
		return unseen(why)
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
