package cases

import "context"

// Declared returns the case that a declarer's own id stands for. NotFound: for none.
func (s *Service) Declared(ctx context.Context, client string) (c Case, err error) {
	var known declaration
	if err := s.Store.Get(ctx, declared, digestOf([]byte(client)), &known); err != nil {
		return c, err
	}
	return s.get(ctx, known.Case)
}
