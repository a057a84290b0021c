package trustpage

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/trust/page"
	"ostiary.internal/shared/trust/page/shelf"
	"ostiary.internal/shared/trust/promise"
)

// shown is a page that was put on the shelf.
type shown struct {
	shelf.Page
	bytes    []byte
	snapshot promise.Snapshot
}

// newest returns the newest page and when it was last checked. Code page_missing before there is one.
func (t *trustpage) newest(ctx context.Context) (shown, error) {
	named, err := t.shelf.Newest(ctx)
	if fault.Is(err, fault.NotFound) {
		return shown{}, missing()
	}
	if err != nil {
		return shown{}, err
	}
	s, err := t.read(ctx, named.Digest)
	if fault.Is(err, fault.NotFound) {
		return shown{}, missing()
	}
	s.Page = named
	return s, err
}

func missing() error {
	e := fault.Refuse(fault.NotFound, "page_missing", "Nothing has been checked yet, so nothing is claimed.", "Come back in a few minutes.")
	e.Status = http.StatusServiceUnavailable
	return e
}

// read returns a page by its digest; the one read last is remembered.
func (t *trustpage) read(ctx context.Context, digest string) (shown, error) {
	t.mu.Lock()
	kept := t.kept
	t.mu.Unlock()
	if digest != "" && kept.Digest == digest {
		return kept, nil
	}
	data, err := t.shelf.Read(ctx, digest)
	if err != nil {
		return shown{}, err
	}
	s := shown{Page: shelf.Page{Digest: digest}, bytes: data}
	if err := json.Unmarshal(data, &s.snapshot); err != nil || s.snapshot.V != promise.Version {
		return shown{}, fault.New(fault.Misconfigured, "reading the page %s: it is no snapshot of version %d", digest, promise.Version)
	}
	s.At, s.Checked, s.Size = s.snapshot.At, s.snapshot.At, s.snapshot.Size
	t.mu.Lock()
	t.kept = s
	t.mu.Unlock()
	return s, nil
}

// asked returns the page whose digest the path names, with or without its prefix. Code page_unknown.
func (t *trustpage) asked(r *http.Request) (shown, error) {
	s, err := t.read(r.Context(), "sha256:"+strings.TrimPrefix(r.PathValue("digest"), "sha256:"))
	if fault.Is(err, fault.NotFound) {
		return shown{}, fault.Refuse(fault.NotFound, "page_unknown", "No page of this digest was shown in the last 400 days.", "Take a digest from the list of a day.")
	}
	return s, err
}

// current is what the page says now.
func (s shown) current(now time.Time) promise.Snapshot {
	return page.Current(s.snapshot, s.Checked, now)
}

// How long an answer may be kept by browsers and by what stands before us.
const (
	forNow    = "public, max-age=30"
	forEver   = "public, max-age=31536000, immutable"
	perTongue = "Accept-Language, Cookie"
)

// worthPacking is the size in bytes from which a body is compressed for those who take it: a page says much the same
// in every line, and phones pay for each. Nothing secret is in it.
const worthPacking = 4 << 10

// answer writes a whole body that everybody may read, from scripts of other sites too. It answers 304 to whoever has
// it already (RFC 9110, section 13.1.2). Ranges are not served, as section 14.2 allows: a request for a thousand of them
// would be answered with many times the page.
func answer(w http.ResponseWriter, r *http.Request, mediaType, keep string, body []byte) error {
	sum := sha256.Sum256(body)
	tag := hex.EncodeToString(sum[:16])
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	if len(body) >= worthPacking && takesGzip(r) {
		packed, err := pack(body)
		if err != nil {
			return err
		}
		body, tag = packed, tag+"-gzip"
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Cache-Control", keep)
	h.Set("Etag", `"`+tag+`"`)
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	if has(r, tag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", mediaType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // nobody is left to read about an error of the connection
	return nil
}

// has reports whether the client names the tag, or any, as what it has. Weak and strong tags are alike here, and no tag of
// ours holds a quotation mark.
func has(r *http.Request, tag string) bool {
	named := strings.Join(r.Header.Values("If-None-Match"), ",")
	return strings.Contains(named, `"`+tag+`"`) || strings.TrimSpace(named) == "*"
}

// takesGzip reports whether the client names gzip among what it takes, and not to refuse it (RFC 9110, section 12.5.3).
func takesGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return !strings.HasPrefix(strings.ReplaceAll(weight, " ", ""), "q=0") || strings.Contains(weight, "0.")
		}
	}
	return false
}

func pack(body []byte) ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(body); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func answerJSON(w http.ResponseWriter, r *http.Request, keep string, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return answer(w, r, "application/json", keep, body)
}
