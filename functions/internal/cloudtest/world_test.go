package cloudtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	kmsapi "cloud.google.com/go/kms/apiv1"
	"cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	secretsapi "cloud.google.com/go/secretmanager/apiv1"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"ostiary.internal/functions/access/admit"
	"ostiary.internal/functions/access/checkotp"
	"ostiary.internal/functions/access/enrolotp"
	"ostiary.internal/functions/access/registerip"
	"ostiary.internal/functions/access/syncallowlist"
	"ostiary.internal/functions/breach/deliver"
	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/evidence/log/folder"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/directory"
	"ostiary.internal/shared/platform/directory/workspace"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/emulatortest"
	"ostiary.internal/shared/platform/identity"
	"ostiary.internal/shared/platform/identity/issuer"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/seal/kms"
	"ostiary.internal/shared/platform/secret"
	"ostiary.internal/shared/platform/secret/secretmanager"

	_ "ostiary.internal/shared/evidence/record/folder"
	_ "ostiary.internal/shared/policy/dir"
)

const (
	project      = "sharedcontacts-test" // of secrets and keys; Firestore's and Pub/Sub's is fresh for each world
	staff        = "/projects/1/global/backendServices/2"
	programs     = site
	site         = "https://ostiary.sharedcontacts.example"
	edgeKey      = "the edge's key of this test"
	mailPassword = "the mail server's password"
)

var start = time.Date(2026, 3, 3, 8, 55, 0, 0, time.UTC)

func TestMain(m *testing.M) { os.Exit(emulatortest.Main(m)) }

// at leads a client of Google's libraries to a server on this machine.
func at(address string) []option.ClientOption {
	return []option.ClientOption{option.WithEndpoint(address), option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials()))}
}

// The drivers of services that have no emulator are opened under schemes of their own, which only say where the
// service is; the driver behind is production's.
func init() {
	seal.Drivers.Register("kms-at", func(_ context.Context, u *url.URL, _ seal.Options) (seal.Keys, error) {
		return kms.New(u.Host+u.Path, func(ctx context.Context) (*kmsapi.KeyManagementClient, error) {
			return kmsapi.NewKeyManagementClient(ctx, at(u.Query().Get("at"))...)
		})
	})
	secret.Drivers.Register("secretmanager-at", func(_ context.Context, u *url.URL, o secret.Options) (secret.Store, error) {
		pins := map[string]int{}
		for name := range strings.SplitSeq(u.Query().Get("pin"), ",") {
			pins[name] = 1
		}
		return secretmanager.New(u.Host, pins, o.Clock, func(ctx context.Context) (*secretsapi.Client, error) {
			return secretsapi.NewClient(ctx, at(u.Query().Get("at"))...)
		})
	})
	directory.Drivers.Register("workspace-at", func(_ context.Context, u *url.URL, o directory.Options) (directory.Directory, error) {
		return workspace.New(o, workspace.Settings{}, option.WithEndpoint(u.Query().Get("at")), option.WithoutAuthentication())
	})
}

// morning are the functions of the access control, and the one that sends messages.
var morning = []wiring.Function{registerip.Function, enrolotp.Function, checkotp.Function, admit.Function, syncallowlist.Function, deliver.Function}

// world is the deployment: some functions, their subscriptions, and what stands around.
type world struct {
	*testing.T
	clock   *clock.Manual
	issuer  *issuer.Issuer
	admin   *admin
	post    *postOffice
	url     string
	doors   string // the folder target
	inbox   *folder.Objects
	deps    map[string]*wiring.Deps
	bus     *pubsub.Client
	project string
	logs    map[string]string // environment of the evidence log

	functions http.Handler
}

// deploy builds the functions as their first request would, from an environment like Terraform's.
func deploy(t *testing.T, functions []wiring.Function) *world {
	t.Helper()
	t.Setenv("FIRESTORE_EMULATOR_HOST", emulatortest.Firestore(t))
	t.Setenv("PUBSUB_EMULATOR_HOST", emulatortest.PubSub(t))
	t.Setenv("K_SERVICE", "")
	must(t, os.Unsetenv("K_SERVICE"))
	dir := t.TempDir()
	w := &world{T: t, clock: clock.NewManual(start), admin: newAdmin(t), post: newPostOffice(t, mailPassword), doors: filepath.Join(dir, "doors"),
		inbox: folder.New(filepath.Join(dir, "inbox")), deps: map[string]*wiring.Deps{}, project: emulatortest.Project(t)}
	w.issuer = issuer.New(filepath.Join(dir, "issuer"), "", w.clock)
	w.logs = w.journal(dir)
	services := serve(t, map[string]string{"form-key": strings.Repeat("form key ", 4), "gateway-edge": edgeKey, "smtp-password": mailPassword, "canary-token": "the canary's token"})
	mux := http.NewServeMux()
	for _, f := range functions {
		m, err := manifest.Parse(f.Manifest)
		must(t, err)
		env := w.environment(m, services, filepath.Join(dir, "inbox"))
		deps, err := wiring.Open(t.Context(), m, f.Schema, wiring.Options{
			Env: func(name string) (string, bool) { value, ok := env[name]; return value, ok },
			// Errors of the functions belong to the test's output.
			Clock: w.clock, Log: slog.New(sink{slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}), w}), Transport: w.issuer.Transport(),
		})
		must(t, err)
		served, err := f.Build(t.Context(), deps)
		must(t, err)
		w.deps[m.Name] = deps
		mux.Handle("/"+m.Name+"/", w.front(m, served.Handler()))
	}
	server := httptest.NewServer(mux)
	w.url, w.functions = server.URL, mux
	w.provision()
	t.Cleanup(func() {
		server.Close()
		for _, d := range w.deps {
			if d.Store != nil {
				_ = d.Store.Close()
			}
			if d.Bus != nil {
				_ = d.Bus.Close()
			}
		}
	})
	return w
}

// environment is what Terraform gives a function, but for where Google's services are.
func (w *world) environment(m manifest.Function, services, inbox string) map[string]string {
	key := func(name string) string {
		return "kms-at://projects/" + project + "/locations/europe-west1/keyRings/ostiary/cryptoKeys/" + name + "?at=" + services
	}
	env := map[string]string{
		wiring.EnvPolicy: "dir:../../../testdata/policies/sharedcontacts", wiring.EnvStore: "firestore://" + w.project + "/" + m.Control,
		wiring.EnvBus: "pubsub://" + w.project, wiring.EnvEvidence: driver.URL("folder", inbox), wiring.EnvSeal: key("otp"), wiring.EnvSealMessage: key("message"),
		wiring.EnvSecrets:   "secretmanager-at://" + project + "?pin=" + strings.Join(m.Secrets, ",") + "&at=" + services,
		wiring.EnvDirectory: "workspace-at:?at=" + url.QueryEscape(w.admin.URL), wiring.EnvClient: "loadbalancer", wiring.EnvInvoker: invoker(m.Name),
		wiring.EnvIAM: "front", "OSTIARY_TARGETS": "edge=file:" + w.doors, "OSTIARY_URL": site, "OSTIARY_DATA_ACCESS": "allServices", "OSTIARY_LOG_STREAMS": "all",
		"OSTIARY_MESSAGE": "smtp://ostiary@" + w.post.address + "?from=ostiary@sharedcontacts.example&secret=smtp-password&tls=none",
	}
	maps.Copy(env, w.logs)
	if m.Reads(wiring.EnvVault) {
		env[wiring.EnvVault], env[wiring.EnvSeal] = "firestore://"+w.project+"/vault", key("evidence")
	}
	if m.Callers == manifest.Staff {
		env[wiring.EnvIdentity] = "iap:?audience=" + staff
	}
	return env
}

func invoker(function string) string {
	return "in-" + function + "@" + project + ".iam.gserviceaccount.com"
}

// front plays Cloud Run: IAM checks the token of a program's request, takes its signature off and lets the request
// through. A push gets the token that Pub/Sub signs; the emulator, a Java program, sends none whatever the subscription
// says. People are let through: the functions check what Identity-Aware Proxy says of them, or serve everybody.
func (w *world) front(m manifest.Function, next http.Handler) http.Handler {
	if m.Callers == manifest.Staff || m.Callers == manifest.Public {
		return next
	}
	iam, err := identity.Drivers.Open(w.Context(), "google:?audience="+programs, identity.Options{Clock: w.clock, Transport: w.issuer.Transport()})
	must(w.T, err)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if m.Callers == manifest.Machine && strings.HasPrefix(r.UserAgent(), "Java/") {
			token = w.token(issuer.Service, invoker(m.Name), programs)
		}
		who, err := iam.Verify(r.Context(), token)
		switch {
		case err != nil:
			rw.WriteHeader(http.StatusUnauthorized)
			return
		case m.Callers == manifest.Machine && who.Email != invoker(m.Name): // nobody else holds roles/run.invoker
			rw.WriteHeader(http.StatusForbidden)
			return
		}
		r.Header.Set("Authorization", "Bearer "+token[:strings.LastIndex(token, ".")+1]+"SIGNATURE_REMOVED_BY_GOOGLE")
		next.ServeHTTP(rw, r)
	})
}

func (w *world) token(kind issuer.Kind, email, audience string) string {
	token, err := w.issuer.Issue(issuer.Claims{Kind: kind, Email: email, Audience: audience})
	if err != nil {
		w.Errorf("signing a token: %v", err)
	}
	return token
}

func (w *world) path(kind, name string) string {
	return "projects/" + w.project + "/" + kind + "/" + name
}

// provision makes topics and subscriptions from the manifests, as Terraform does, and two to look at by pulling.
func (w *world) provision() {
	var err error
	w.bus, err = pubsub.NewClient(context.Background(), w.project)
	must(w.T, err)
	w.Cleanup(func() { w.bus.Close() })
	made := map[string]bool{}
	topic := func(name string) {
		if !made[name] {
			made[name] = true
			_, err := w.bus.TopicAdminClient.CreateTopic(w.Context(), &pubsubpb.Topic{Name: w.path("topics", name)})
			must(w.T, err)
		}
	}
	subscribe := func(s *pubsubpb.Subscription) {
		_, err := w.bus.SubscriptionAdminClient.CreateSubscription(w.Context(), s)
		must(w.T, err)
	}
	topic("dead")
	for name, d := range w.deps {
		for _, published := range d.Manifest.Publishes {
			topic(published)
		}
		for _, source := range d.Manifest.Topics() {
			topic(source)
			subscribe(&pubsubpb.Subscription{
				Name: w.path("subscriptions", bus.Subscription(name, source)), Topic: w.path("topics", source), AckDeadlineSeconds: 60,
				PushConfig:       &pubsubpb.PushConfig{PushEndpoint: w.url + "/" + name + "/events"},
				DeadLetterPolicy: &pubsubpb.DeadLetterPolicy{DeadLetterTopic: w.path("topics", "dead"), MaxDeliveryAttempts: 5},
			})
		}
	}
	for _, name := range []string{"dead", "message.accepted"} {
		topic(name)
		subscribe(&pubsubpb.Subscription{Name: w.path("subscriptions", "look-"+name), Topic: w.path("topics", name)})
	}
}

// pull returns what waits on a topic that is looked at.
func (w *world) pull(topic string) []*pubsubpb.ReceivedMessage {
	w.Helper()
	answer, err := w.bus.SubscriptionAdminClient.Pull(w.Context(), &pubsubpb.PullRequest{
		Subscription: w.path("subscriptions", "look-"+topic), MaxMessages: 100, ReturnImmediately: true})
	must(w.T, err)
	return answer.ReceivedMessages
}

// publish says something on a topic, as another control would.
func (w *world) publish(topic, key string, payload any) {
	w.Helper()
	data, err := json.Marshal(payload)
	must(w.T, err)
	message := bus.Message{Data: data, Attributes: map[string]string{bus.AttributeID: key, bus.AttributeTime: w.clock.Now().Format(time.RFC3339)}}
	must(w.T, w.deps["syncallowlist"].Bus.Publish(w.Context(), topic, message))
}

// reply is an answer of a function.
type reply struct {
	status  int
	request string // the id the function gave it
	body    map[string]any
}

func (r reply) text(name string) string { text, _ := r.body[name].(string); return text }

// call sends a request the way the load balancer does. headers are given in pairs.
func (w *world) call(method, path string, body any, headers ...string) reply {
	w.Helper()
	data, err := json.Marshal(body)
	must(w.T, err)
	r, err := http.NewRequestWithContext(w.Context(), method, w.url+path, bytes.NewReader(data))
	must(w.T, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Forwarded-For", "198.51.100.7, "+home+", 34.110.0.1")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		w.Errorf("%s %s: %v", method, path, err)
		return reply{}
	}
	defer answer.Body.Close()
	got := reply{status: answer.StatusCode, request: answer.Header.Get("X-Request-Id")}
	_ = json.NewDecoder(answer.Body).Decode(&got.body) // a 204 has none
	return got
}

// as is the header of a signed-in person.
func (w *world) as(email string) []string {
	return []string{identity.AssertionHeader, w.token(issuer.Staff, email, staff)}
}

// eventually waits for what messages bring about.
func (w *world) eventually(what string, holds func() bool) {
	w.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(15 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.Fatalf("it did not come to pass that %s", what)
		}
	}
}

// records reads the evidence. Every piece must be whole and name nothing it should not.
func (w *world) records(secrets ...string) []record.Record {
	w.Helper()
	listed, err := w.inbox.List(w.Context(), "", "", math.MaxInt)
	must(w.T, err)
	var all []record.Record
	for _, l := range listed {
		o, err := w.inbox.Get(w.Context(), l.Name)
		must(w.T, err)
		r, err := record.Parse(o.Data)
		if err != nil {
			w.Errorf("record %s: %v", l.Name, err)
		}
		for _, secret := range secrets {
			if strings.Contains(string(o.Data), secret) {
				w.Errorf("record %s holds %q", l.Name, secret)
			}
		}
		all = append(all, r)
	}
	return all
}

// settled waits until nothing is left to send on of some functions, one of each control, and checks that no push was given
// up.
func (w *world) settled(functions ...string) {
	w.Helper()
	for _, function := range functions {
		w.eventually("the outbox of "+function+" is empty", func() bool {
			left, err := w.deps[function].Box.Pending(w.Context())
			return err == nil && left == 0
		})
	}
	if dead := w.pull("dead"); len(dead) > 0 {
		w.Errorf("%d messages were given up: %v", len(dead), dead)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(fmt.Errorf("setting up: %w", err))
	}
}
