package requesterasure

import (
	"net/http"

	"ostiary.internal/shared/erasure/opendsr/callback"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

// published is the certificate that answers to customers' programs are signed with. Code: not_served.
func (a *asking) published(r *http.Request) ([]byte, error) {
	chain, err := callback.Published(r.Context(), a.Store)
	if fault.Is(err, fault.NotFound) {
		return nil, fault.Refuse(fault.NotFound, "not_served", "No instructions are taken by OpenDSR here.", "Write to the company, or use the page.")
	}
	return chain, err
}

// discovery answers what the specification wants known to everybody (OpenDSR 2.0, section "Discovery").
func (a *asking) discovery(w http.ResponseWriter, r *http.Request) error {
	if _, err := a.published(r); err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, a.Discovery())
}

func (a *asking) certificate(w http.ResponseWriter, r *http.Request) error {
	chain, err := a.published(r)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-pem-file")
	_, err = w.Write(chain)
	return err
}
