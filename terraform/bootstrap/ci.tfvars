# Values for a plan without a cloud account: nothing here names a real project.
organization    = "111111111111"
billing_account = "01AB23-45CD67-89EF01"
quota_project   = "company-admin"
github          = { repository_id = "123456789", owner_id = "987654" }
