package veil

import (
	"regexp"
	"slices"
	"strings"
)

// Names are compared as [fold] writes them.
var (
	// bags are names of members whose own members, or entries, anybody may choose; in them no value is shown.
	bags = []string{"annotations", "userannotations", "environmentvariables", "buildenvironmentvariables", "envvariables", "envvars", "env", "variables", "substitutions",
		"args", "command", "usermetadata", "headers", "httpheaders", "customrequestheaders", "customrequestheader", "customresponseheaders", "customresponseheader"}
	// unnamed are those of them whose entries have no name: what stands before a sign in one may be the secret.
	unnamed = []string{"args", "command"}
	// hush ends the names of members that hold what nobody else may know.
	hush = regexp.MustCompile(`(password|passwd|passphrase|tokens?|privatekeys?|privatekeydata|credentials?|apikeys?|secrets?|secretdata|secretvalue|secretkey|connectionstring|` +
		`rawkey|clientkey|accesskey|accountkey|signingkey|sharedkey|hmackey|headervalue)$`)
	// quiet are whole names of members that hold it where they are a text: others of the name wrap what is configured.
	quiet = []string{"body", "data", "payload", "script", "startupscript", "authorization", "proxyauthorization", "cookie", "setcookie"}
	// known end the paths of what is called like a secret and names the resource that holds it, or says who signs for a call.
	known = regexp.MustCompile(`(^|\.)(secretkeyref\.secret|secretenvironmentvariables\.secret|secretvolumes\.secret|volumes\.secret\.secret)$`)
	opens = regexp.MustCompile(`(^|\.)(oidctoken|oauthtoken|availablesecrets|volumes\.secret)$`)
	// resource is the name of a secret, or of a version of it.
	resource = regexp.MustCompile(`^(//secretmanager\.googleapis\.com/)?projects/[^/\s]+/(locations/[^/\s]+/)?secrets/[^/\s]+(/versions/[^/\s]+)?$`)
	// object are the members of metadata that say what an object is called and when it was made, and nothing anybody configured.
	object = []string{"name", "namespace", "uid", "selflink", "resourceversion", "creationtimestamp", "deletiontimestamp", "generatename", "fingerprint", "kind"}
	// nameOnly is what a variable, or a header, may be called.
	nameOnly = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,100}$`)
)

// fold writes a path so that Terraform's and the services' are one.
func fold(path string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(path))
}

// last is the last name of a path, folded.
func last(at string) string { return fold(at[strings.LastIndexByte(at, '.')+1:]) }

func isBag(at string) bool {
	if labelled(at) {
		return false
	}
	return slices.Contains(bags, last(at)) || strings.HasSuffix(fold(at), "pubsubtarget.attributes")
}

// labelled reports whether a path is a label's: people choose what it is called, after what it stands for.
func labelled(at string) bool {
	end := strings.LastIndexByte(at, '.')
	return end >= 0 && strings.HasSuffix(last(at[:end]), "labels")
}

func isNamed(at string) bool { return isBag(at) && !slices.Contains(unnamed, last(at)) }

// inMetadata reports whether a text at a path is one anybody may have put into metadata.
func inMetadata(at string) bool {
	end := strings.LastIndexByte(at, '.')
	return end >= 0 && strings.HasSuffix(last(at[:end]), "metadata") && !slices.Contains(object, last(at))
}

// paired reports whether at or above a path pairs of a name and a value are variables, or metadata.
func paired(at string) bool {
	return slices.ContainsFunc(strings.Split(fold(at), "."), func(name string) bool {
		return slices.Contains(bags, name) || strings.HasSuffix(name, "metadata")
	})
}

// hushed reports whether a value is hidden with all below it for what it is called.
func hushed(at string, value any) bool {
	text, is := value.(string)
	if _, yes := value.(bool); yes || is && resource.MatchString(text) {
		return false
	}
	path := fold(at)
	if is {
		return (hush.MatchString(path) || slices.Contains(quiet, last(at)) && !labelled(at)) && !known.MatchString(path)
	}
	return hush.MatchString(path) && !opens.MatchString(path)
}

// Sensitive reports whether a text at a path may be what nobody else may know, for what it is called, whatever it says.
func Sensitive(at string) bool { return isBag(at) || hushed(at, "") || inMetadata(at) }
