package cloudasset

import (
	"context"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/platform/fault"
)

// What a role of the company's own allows is told by its service alone to whom asks for the whole of it
// (https://cloud.google.com/iam/docs/reference/rest/v1/projects.roles/get); one that is listed without it is read by itself.
const (
	roleType = "iam.googleapis.com/Role"
	allows   = "includedPermissions"
)

// mostRoles bounds how many roles of a page are read by themselves.
const mostRoles = 200

// roles reads what the roles of a page allow, where the list left it out. One that is gone by now is left out.
func (s *Source) roles(ctx context.Context, p *asset.Page) error {
	asked, kept := 0, p.Assets[:0]
	for _, a := range p.Assets {
		if _, told := a.Data[allows]; a.Type != roleType || told || a.Data == nil {
			kept = append(kept, a)
			continue
		}
		whole, err := asset.Asset{}, fault.New(fault.Exhausted, "a page has more than %d such", mostRoles)
		if asked++; asked <= mostRoles {
			if whole, err = s.Get(ctx, roleType, a.Key); fault.Is(err, fault.Transient) || fault.Is(err, fault.Exhausted) {
				return err
			}
		}
		switch {
		case err != nil:
			p.Unread = append(p.Unread[:min(len(p.Unread), asset.MaxUnread-1)], roleType+": what one allows was not read: "+err.Error())
		case whole.Deleted:
			continue
		default:
			a.Data, a.Read = whole.Data, whole.Read
		}
		kept = append(kept, a)
	}
	p.Assets = kept
	return nil
}

// spelled says of a role that was read whole and allows nothing that it does: its service leaves out what is empty.
func spelled(kind string, data asset.Object) {
	if _, told := data[allows]; kind == roleType && !told {
		data[allows] = []any{}
	}
}
