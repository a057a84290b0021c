package parts

import "context"

// HeldFor returns the address under which a customer's own data has somebody the directory does not know: request.Service asks
// for it where she asks to be forgotten.
func (p *Parts) HeldFor(ctx context.Context, tenant, email string) (found bool, address string, err error) {
	e, err := p.Engine(ctx)
	if err != nil {
		return false, "", err
	}
	return e.HeldFor(ctx, tenant, email)
}
