package probe

import (
	"context"
	"net/url"
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

// down meets a host as a careful client does, and says why it does not answer: "" when the host itself does, which its
// certificate shows.
func (s *Service) down(ctx context.Context, host string) (why string) {
	met, err := s.Eye.Shake(ctx, host, 13)
	switch {
	case err != nil || met.Refused || met.Version < 12:
		return "unreachable"
	case !met.Trusted:
		return "not-trusted"
	}
	return ""
}

// versions finds the oldest version a host accepts, as 10 to 13. That old ones are refused counts only between two
// handshakes that are not.
func (s *Service) versions(ctx context.Context, host string) Sight {
	best, err := s.Eye.Shake(ctx, host, 13)
	if err != nil || best.Refused {
		return unseen("unreachable")
	}
	if !best.Trusted {
		return unseen("not-trusted")
	}
	oldest := best.Version
	for version := 10; version < oldest; version++ {
		met, err := s.Eye.Shake(ctx, host, version)
		if err != nil {
			return unseen("no-clear-refusal")
		}
		if !met.Refused {
			oldest = met.Version
		}
	}
	// A host that knows old versions alone has refused nothing.
	if why := s.down(ctx, host); why != "" && best.Version >= 12 {
		return unseen(why)
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

// redirect asks in clear: what answers must send to https on the same host. In clear nobody shows a certificate, so the
// host has to be up under TLS before and after.
func (s *Service) redirect(ctx context.Context, host string) Sight {
	if why := s.down(ctx, host); why != "" {
		return unseen(why)
	}
	name, _, _ := strings.Cut(host, ":")
	got, err := s.Eye.Ask(ctx, "http://"+name+"/", "")
	if err != nil || got.Status >= 500 {
		return unseen("unreachable")
	}
	if why := s.down(ctx, host); why != "" {
		return unseen(why)
	}
	if got.Closed {
		return Sight{Seen: true, Good: true, Detail: "closed"}
	}
	to, ok := address(got.Location)
	return Sight{Seen: true, Good: isMove(got.Status) && ok && to.Hostname() == name, Detail: status(got)}
}

func isMove(code int) bool { return slices.Contains([]int{301, 302, 303, 307, 308}, code) }

func status(a Answer) string { return "status-" + strconv.Itoa(a.Status) }

// hops is how many redirects are followed, all on one host.
const hops = 3

// page asks for what a reader gets at an address: an answer 200 that says something. why is "" when there is one.
func (s *Service) page(ctx context.Context, target string) (got Answer, why string) {
	at, ok := address(target)
	for range hops + 1 {
		if !ok {
			return got, "leads-elsewhere"
		}
		var err error
		if got, err = s.Eye.Ask(ctx, at.String(), ""); err != nil || got.Closed {
			return got, "unreachable"
		}
		if !isMove(got.Status) {
			break
		}
		at, ok = stays(at, got.Location)
	}
	switch {
	case got.Status != 200:
		return got, status(got)
	case len(got.Body) == 0:
		return got, "empty"
	}
	return got, ""
}

// stays reads where a redirect leads, and whether that is on the same host.
func stays(from *url.URL, location string) (*url.URL, bool) {
	to, err := from.Parse(location)
	if err != nil {
		return nil, false
	}
	to.Fragment = ""
	to, ok := address(to.String())
	return to, ok && to.Host == from.Host
}
