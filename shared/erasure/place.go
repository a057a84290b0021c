package erasure

import "strings"

// Bare is the URL of a store without account and parameters: what the account that reads and the one that erases have in
// common. It may be shown.
func Bare(store string) string {
	store, _, _ = strings.Cut(store, "?")
	scheme, rest, found := strings.Cut(store, "://")
	if !found {
		return store
	}
	host, path, deeper := strings.Cut(rest, "/")
	host = host[strings.LastIndexByte(host, '@')+1:]
	if deeper {
		host += "/" + path
	}
	return scheme + "://" + host
}
