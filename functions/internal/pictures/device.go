package main

import (
	"strings"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/walk"
)

// device shows how a phone lets a laptop in: the laptop's short code, and what the phone says of it before its one-time password.
func (a album) device(phone *walk.Person) {
	laptop := &walk.Person{Tab: a.browser.Tab(a, browser.Desk), T: a, Server: a.server, Lang: "en"}
	laptop.SignIn(walk.Email("omkar.rao"), walk.Mobile)
	laptop.Click("details summary")
	laptop.Press("form[action='/registerip/device'] button")
	a.keep("device", laptop.Tab, false)
	phone.Open(a.server.URL + "/registerip/")
	phone.Click("details summary")
	phone.Type("#device", strings.TrimSpace(laptop.Text("#device-code .big")))
	phone.Press("form[action='/registerip/look'] button")
	a.keep("device-phone", phone.Tab, false)
}
