package cloudasset

import (
	"context"
	"strings"

	"cloud.google.com/go/asset/apiv1/assetpb"

	"ostiary.internal/shared/drift/asset"
)

const (
	accountType = "iam.googleapis.com/ServiceAccount"
	accountPart = "/serviceAccounts/"
)

// Mails knows the addresses of service accounts by their numbers. The inventory names accounts by number, and only the resource
// itself tells the address: without it policies would be about accounts nobody knows.
type Mails map[string]string

// Learn takes what an account says of itself.
func (m Mails) Learn(a asset.Asset) {
	number, _ := a.Data["uniqueId"].(string)
	if mail, _ := a.Data["email"].(string); a.Type == accountType && number != "" && mail != "" {
		m[number] = mail
	}
}

// Name writes the key of an account with its address, and reports whether that is known; of anything else nothing changes.
func (m Mails) Name(a *asset.Asset) bool {
	before, number, of := strings.Cut(a.Key, accountPart)
	if a.Type != accountType || !of || strings.Contains(number, "@") {
		return true
	}
	mail := m[number]
	if mail != "" {
		a.Key = before + accountPart + mail
	}
	return mail != ""
}

// called names the accounts among the assets of a page; it lists those of the scope where it does not know one. One that was
// made a moment ago may have no resource yet, and keeps its number.
func (s *Source) called(ctx context.Context, scope string, all []asset.Asset) error {
	asked := false
	for i := range all {
		if s.named(&all[i]) || asked {
			continue
		}
		if err := s.learn(ctx, scope); err != nil {
			return err
		}
		asked = true
		s.named(&all[i])
	}
	return nil
}

func (s *Source) named(a *asset.Asset) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails.Learn(*a)
	return s.mails.Name(a)
}

// learn lists the service accounts of a scope.
func (s *Source) learn(ctx context.Context, scope string) error {
	for token := ""; ; {
		answer, err := s.page(ctx, &assetpb.ListAssetsRequest{Parent: scope, AssetTypes: []string{accountType}, ContentType: assetpb.ContentType_RESOURCE, PageSize: pageSize, PageToken: token})
		if err != nil {
			return explain(err, false)
		}
		p := asset.Page{Read: s.clock.Now().UTC()}
		take(&p, answer.GetAssets(), []string{accountType})
		for i := range p.Assets {
			s.named(&p.Assets[i])
		}
		if token = answer.GetNextPageToken(); token == "" {
			return nil
		}
	}
}
