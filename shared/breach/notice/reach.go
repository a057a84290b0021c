package notice

import "time"

// at are whom a tenant is told by now; none where nobody is named.
func (s *Service) at(tenant string, compromised []string, now time.Time) []Recipient {
	t, known := s.Policy.Tenant(tenant)
	if !known {
		return nil
	}
	some, err := Recipients(t, now)
	if len(compromised) > 0 {
		some, err = outOfBand(t, s.OutOfBand)
	}
	if err != nil {
		return nil
	}
	return some
}

// Reaches reports whether there is somebody to be told at a tenant now; compromised are channels that are not trusted.
func (s *Service) Reaches(tenant string, compromised []string, now time.Time) bool {
	return len(s.at(tenant, compromised, now)) > 0
}

// reachable divides the tenants a notice is meant for into those somebody can be told at, and those nobody can: one of them
// holds up none of the others. Code: contact_missing, where it is all of them.
func (s *Service) reachable(tenants []string, about About, now time.Time) (with, without []string, err error) {
	for _, id := range tenants {
		if s.Reaches(id, about.Compromised, now) {
			with = append(with, id)
		} else {
			without = append(without, id)
		}
	}
	if len(with) == 0 && len(without) > 0 {
		return nil, without, nobodyAt(about, without)
	}
	return with, without, nil
}

func nobodyAt(about About, tenants []string) error {
	why := "tenants.yaml names no contact of theirs"
	if len(about.Compromised) > 0 {
		why = "a channel is compromised, and out_of_band in breach.yaml names no other address of theirs"
	}
	return missing(why, tenants...)
}
