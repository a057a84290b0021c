package rule

import "testing"

// TestActing: what products call acting as somebody else, in three languages, and what only looks like it.
func TestActing(t *testing.T) {
	t.Parallel()
	const acting, began, ended, neither = "acting", "began", "ended", "neither"
	for want, actions := range map[string][]string{
		acting: {
			"impersonate", "user.impersonated", "impersonate_attendee", "act_as_vendor", "ActAs", "userActAs", "useractas", "loginAsAttendee", "logged in as", "sign-in-as",
			"impersonate.calendar", "act_as_backend", "login_as_friend", "view_as_customer", "ViewAsCustomer", "sudo", "switch_account", "assume", "assume_identity",
			"on_behalf", "hijack", "session.hijacked", "become_user", "user_switched", "userSwitched", "proxy_login", "proxyLogin", "masquerade", "spoof_user",
			"act_as_end_user", "end_user_impersonation", "en_tant_que", "connexion_en_tant_que", "seConnecterEnTantQue", "usurpation.identité", "usurpation.identite\u0301",
			"prise_identité", "changer_utilisateur", "agir_comme", "anmelden_als", "als_benutzer_anmelden", "AlsBenutzerAnmelden", "benutzerwechsel", "Benutzer gewechselt",
			"identität_übernehmen", "impersoniert", "im_namen_von",
		},
		began: {"impersonation.started", "start_impersonation", "startImpersonating", "support.session.start", "begin_act_as", "impersonationstarted", "usurpation_début", "Impersonierung begonnen"},
		ended: {
			"impersonation.stopped", "impersonationEnded", "impersonationended", "stop_impersonating", "stop_impersonation", "support.session.finished", "act_as exit", "impersonate.stop",
			"unimpersonate", "un-impersonate", "impersonation.expired", "impersonation_closed", "impersonate.leave", "leave_impersonation", "user_switched_back", "login_as.logout",
			"impersonation timed out", "connexion_en_tant_que.terminée", "usurpation_fin", "quitter_usurpation", "anmelden_als_beendet", "benutzerwechsel.ende",
		},
		neither: {
			"", "contact.assigned", "viewAssets", "review_assigned", "pseudonymise", "consumer.assumed_default", "consumer.created", "contacts.export", "session.end", "user.login",
			"become_member", "account.closed", "proxy.configured", "wechselkurs", "benutzer.angelegt", "compte.créé", "factor_assigned",
		},
	} {
		for _, action := range actions {
			is := neither
			switch {
			case ActingBegan(action) && Acting(action):
				is = began
			case Acting(action):
				is = acting
			case ActingEnded(action):
				is = ended
			}
			if is != want {
				t.Errorf("%q is %s, want %s", action, is, want)
			}
		}
	}
}
