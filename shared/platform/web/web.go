// Package web turns a table of routes into one function's HTTP handler.
//
// It promises, for every route alike: panics end as answers, the source cap before anything is read or written,
// security headers, errors as problem documents (RFC 9457) built in one place from package fault, one log line
// without a path, a query or personal data, and an OpenAPI description that is made from the same table. It does
// not know who the caller is, and it keeps nothing: the source cap is per process.
package web

import (
	"io"
	"log/slog"
	"net/http"
)

// Route is one line of a function's table.
type Route struct {
	Method  string // GET, POST, ...; GET answers HEAD too
	Path    string // below /<name>, a pattern of net/http: "/", "/v1/leases/{id}", "/assets/{file...}"
	Summary string // one line, for the description
	Params  []Param
	// Body is a value of the type DecodeBody reads, nil for none. Its fields may be tagged doc:"...",
	// enum:"a,b" and required:"true"; the last one is enforced, the others describe.
	Body any
	// Answers are values of the types answered, by status: any JSON type, a Media, or nil for no content.
	Answers  map[int]any
	Problems []string // the codes of this route's own problems, in no order
	Page     bool     // errors are answered as HTML; implies Browser
	Browser  bool     // reachable with a browser's cookies: unsafe methods from foreign origins are refused
	Uncapped bool     // called by machines behind an invoker account: the source cap does not count it
	// Handle answers, or returns an error and has then written nothing.
	Handle func(w http.ResponseWriter, r *http.Request) error
}

// Param is a parameter in the query or in a header. Those in the path need not be listed.
type Param struct {
	Name     string
	In       string // "query" or "header"
	Doc      string
	Required bool
}

// Media is the media type of an answer that is not made from a JSON type, such as Media("text/csv"). As
// Media("application/json") it is JSON of any shape.
type Media string

// Function is one deployed function: its name, its table and what it needs.
type Function struct {
	Name      string // lower case; the first segment of every path
	Summary   string // one line, for the description
	Routes    []Route
	Log       *slog.Logger                                            // nil: nothing is logged
	ErrorPage func(w http.ResponseWriter, r *http.Request, p Problem) // writes a page; nil: problem documents everywhere
	Client    Layout                                                  // where the caller's address stands; zero: always unknown
	Cap       *Cap                                                    // nil: one of its own with the least rate
	Random    io.Reader                                               // for request ids; nil: crypto/rand
	Deployed  bool                                                    // behind HTTPS: browsers are told to insist on it
	Connect   []string                                                // more hosts a page's script may call, such as "https://v4.example.com"
	Forms     []string                                                // more hosts a page's form may be sent to, such as "https://v4.example.com"
	Origins   []string                                                // foreign origins that may send forms and scripts, such as "https://v6.example.com"
}
