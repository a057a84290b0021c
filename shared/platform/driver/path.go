package driver

import (
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"ostiary.internal/shared/platform/fault"
)

// URL returns the URL by which a driver opens a file or folder of this machine: SCHEME:PATH?NAME=VALUE. The path is
// absolute, or relative to the working directory, and may hold any character; options are names and values in turn. What
// it returns holds no space and no comma, so that it can stand in a list of either.
func URL(scheme, path string, options ...string) string {
	u := scheme + ":" + strings.ReplaceAll(url.PathEscape(filepath.ToSlash(path)), "%2F", "/")
	before := "?"
	for pair := range slices.Chunk(options, 2) {
		u += before + pair[0] + "=" + url.QueryEscape(pair[1])
		before = "&"
	}
	return u
}

// Path takes apart what URL returns. options are the names a driver knows; each may be given once, or not at all.
// Misconfigured: no path, one of another machine, an unreadable escape, or an option that is not known.
func Path(u *url.URL, options ...string) (path string, given url.Values, err error) {
	if path = u.Path; u.Opaque != "" {
		if path, err = url.PathUnescape(u.Opaque); err != nil {
			return "", nil, fault.New(fault.Misconfigured, `%s: a "%%" in the path begins no two hexadecimal digits; write %%25 for one that belongs to a name`, u.Scheme)
		}
	}
	if u.Host != "" || path == "" {
		return "", nil, fault.New(fault.Misconfigured, "%s: the URL names nothing on this machine; write %s:PATH", u.Scheme, u.Scheme)
	}
	given, err = url.ParseQuery(u.RawQuery)
	known := err == nil && !u.ForceQuery
	for name, values := range given {
		known = known && slices.Contains(options, name) && len(values) == 1
	}
	if !known {
		takes := "none"
		if len(options) > 0 {
			takes = strings.Join(options, ", ") + ", each once"
		}
		return "", nil, fault.New(fault.Misconfigured, `%s: a "?" begins options, and the URL takes %s; write %%3F for one that belongs to the path`, u.Scheme, takes)
	}
	return filepath.Clean(path), given, nil
}
