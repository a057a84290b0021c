package notice

import (
	"io"
	"strings"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/staff"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/policy"
)

// Reminders remind people who have not registered their address yet. It is safe for concurrent use.
type Reminders struct {
	*staff.Sender
	site string
}

// NewReminders returns a Reminders that seals with keys. site is where the pages are, without a slash at its end.
func NewReminders(site string, keys *seal.Cache, random io.Reader) *Reminders {
	return &Reminders{staff.New(keys, random), site}
}

// Tell puts a reminder of a date (YYYY-MM-DD) into the batch. Its link leads to the page that everybody opens by hand, and
// carries no authority. It does no I/O. Transient: Ready has not succeeded yet.
func (r *Reminders) Tell(b *outbox.Batch, p policy.Person, date string) error {
	t, ok := reminders[p.Language]
	if !ok {
		return fault.New(fault.Misconfigured, "writing a reminder: no text in %q", p.Language)
	}
	content := message.Content{Subject: "Ostiary: " + t.subject, Text: strings.ReplaceAll(t.body, "{page}", r.site+"/registerip/") + "\n\n--\n" + t.next + "\n"}
	return r.Send(b, "access-reminder", date, p.ID, p.Language, content)
}

// reminders are the texts by language; next says what the link is not.
var reminders = map[string]text{
	"en": {"your address of today is not registered", "You have not registered your address today, and the doors stay shut for it until you do. Open this page on the device that needs access, and have your one-time-password app at hand:\n\n{page}",
		"The link is the same for everybody and opens nothing by itself: you sign in as always. If in doubt, type the address yourself. If you are not working today, there is nothing to do."},
	"fr": {"votre adresse d’aujourd’hui n’est pas enregistrée", "Vous n’avez pas encore enregistré votre adresse aujourd’hui, et les portes lui restent fermées jusque-là. Ouvrez cette page sur l’appareil qui a besoin d’entrer, votre application de mots de passe à usage unique sous la main :\n\n{page}",
		"Ce lien est le même pour tout le monde et n’ouvre rien à lui seul : vous vous connectez comme toujours. Dans le doute, saisissez l’adresse vous-même. Si vous ne travaillez pas aujourd’hui, il n’y a rien à faire."},
	"de": {"Ihre heutige Adresse ist nicht angemeldet", "Sie haben Ihre Adresse heute noch nicht angemeldet; bis dahin bleiben die Türen für sie zu. Öffnen Sie diese Seite auf dem Gerät, das Zugang braucht, und halten Sie Ihre Einmalpasswort-App bereit:\n\n{page}",
		"Der Link ist für alle derselbe und öffnet allein nichts: Sie melden sich an wie immer. Im Zweifel tippen Sie die Adresse selbst ein. Wenn Sie heute nicht arbeiten, ist nichts zu tun."},
}
