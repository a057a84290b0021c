package rules

import (
	"regexp"
	"strings"
)

var functionRules = []Rule{
	{"deployed", "Every manifest is deployed as it says, and nothing is deployed that has none.", "environments/", deployed},
	{"ingress", "A function for machines is reached from inside alone, every other through the load balancer.", "environments/", ingress},
	{"bounded", "A function never has more instances, and never works longer, than its manifest says.", "environments/", bounded},
	{"pinned-secret", "A function reads each secret of its manifest in one version, by its number.", "environments/", pinnedSecret},
	{"source", "What a function is built of is named by the digest of its archive, and it says so of itself.", "environments/", source},
}

func deployed(l *look) {
	found := map[string]bool{}
	for _, f := range l.of(function) {
		name := f.Text("name")
		m, known := l.manifest(name)
		switch {
		case !known:
			l.wrong(f, "no manifest has the name %q", name)
			continue
		case found[name]:
			l.wrong(f, "%s is there twice", name)
		case f.Text("build_config", "entry_point") != m.EntryPoint:
			l.wrong(f, "begins at %q, and its manifest says %q", f.Text("build_config", "entry_point"), m.EntryPoint)
		}
		found[name] = true
		given, _ := f.At("service_config", "environment_variables").(map[string]any)
		unknown, _ := f.Pending("service_config", "environment_variables").(map[string]any)
		for _, variable := range m.Environment {
			if given[variable] == nil && unknown[variable] == nil {
				l.wrong(f, "is not told %s", variable)
			}
		}
	}
	if !l.deploys() {
		return
	}
	for _, m := range l.Manifests {
		if !found[m.Name] {
			l.missing(m.Name, "is not deployed: it has a manifest, and perhaps no archive")
		}
	}
}

func ingress(l *look) {
	for _, f := range l.of(function) {
		m, _ := l.manifest(f.Text("name"))
		want := "ALLOW_INTERNAL_AND_GCLB"
		if m.Callers == "machine" {
			want = "ALLOW_INTERNAL_ONLY"
		}
		if have := f.Text("service_config", "ingress_settings"); have != want {
			l.wrong(f, "is reached by %q: callers %s need %s", have, m.Callers, want)
		}
	}
}

func bounded(l *look) {
	for _, f := range l.of(function) {
		m, _ := l.manifest(f.Text("name"))
		for _, limit := range []struct {
			attribute string
			most      int
		}{{"max_instance_count", m.Instances}, {"timeout_seconds", m.TimeoutS}, {"max_instance_request_concurrency", m.Concurrency}} {
			if n := f.Number("service_config", limit.attribute); n < 1 || n > limit.most {
				l.wrong(f, "%s is %d (-1: none): its manifest says %d", limit.attribute, n, limit.most)
			}
		}
	}
}

var (
	pinForm     = regexp.MustCompile(`^secretmanager://[a-z][a-z0-9-]+\?pin=[a-z0-9:,-]+$`)
	onePin      = regexp.MustCompile(`^([A-Za-z0-9_-]+):([0-9]+)$`)
	archiveForm = regexp.MustCompile(`[0-9a-f]{64}`)
)

func pinnedSecret(l *look) {
	for _, f := range l.of(function) {
		m, _ := l.manifest(f.Text("name"))
		for _, block := range []string{"secret_environment_variables", "secret_volumes"} {
			if len(f.List("service_config", block)) > 0 {
				l.wrong(f, "%s puts a secret where every part of the program sees it: functions ask for secrets by name", block)
			}
		}
		pins := f.Text("service_config", "environment_variables", "OSTIARY_SECRETS")
		if pins == "" && len(m.Secrets) == 0 {
			continue
		}
		if !pinForm.MatchString(pins) {
			l.wrong(f, "OSTIARY_SECRETS is %q: it pins a version of each secret", pins)
			continue
		}
		pinned := map[string]bool{}
		_, list, _ := strings.Cut(pins, "?pin=")
		for _, pin := range strings.Split(list, ",") {
			one := onePin.FindStringSubmatch(pin)
			if one == nil {
				l.wrong(f, "%q pins nothing: a version is a number", pin)
				continue
			}
			pinned[one[1]] = true
		}
		for _, name := range m.Secrets {
			if !pinned[name] {
				l.wrong(f, "the version of secret %s is not pinned", name)
			}
		}
	}
}

func source(l *look) {
	for _, f := range l.of(function) {
		object := f.Text("build_config", "source", "storage_source", "object")
		digest := archiveForm.FindString(object)
		said := f.Text("service_config", "environment_variables", "OSTIARY_CODE")
		switch {
		case digest == "" || !strings.HasPrefix(object[strings.LastIndex(object, "/")+1:], f.Text("name")+"-"):
			l.wrong(f, "is built of %q: the object's name is the function's, and the digest of its archive", object)
		case said != "sha256:"+digest:
			l.wrong(f, "says of itself that it is %q, and is built of %s", said, digest)
		}
		if l.the(bucket, f, "build_config", "source", "storage_source", "bucket") == nil {
			l.wrong(f, "is built of what lies in no bucket of this plan")
		}
	}
}
