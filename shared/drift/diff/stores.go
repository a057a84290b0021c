package diff

// envs are variables of a container; a value that comes from a secret is its name.
var envs = set(object(map[string]canon{"name": text, "value": text, "value_source.secret_key_ref.secret|valueSource.secretKeyRef.secret": link, "value_source.secret_key_ref.version|valueSource.secretKeyRef.version": text}))

// databaseFlags have no order.
var databaseFlags = set(object(map[string]canon{"name": text, "value": text}))

// replicas are where a secret lies.
var replicas = set(object(map[string]canon{"location": fold, "customer_managed_encryption.kms_key_name|customerManagedEncryption.kmsKeyName": link}))

// lifecycles are what a bucket does with objects by itself.
var lifecycles = set(object(map[string]canon{
	"action.type": text, "action.storage_class|action.storageClass": text, "condition.age": count, "condition.num_newer_versions|condition.numNewerVersions": count,
	"condition.with_state|condition.isLive": liveOrNot, "condition.days_since_noncurrent_time|condition.daysSinceNoncurrentTime": count, "condition.matches_prefix|condition.matchesPrefix": set(text),
	"condition.matches_suffix|condition.matchesSuffix": set(text), "condition.matches_storage_class|condition.matchesStorageClass": set(fold),
}, "condition.no_age", "condition.send_age_if_zero", "condition.send_num_newer_versions_if_zero", "condition.send_days_since_noncurrent_time_if_zero", "condition.send_days_since_custom_time_if_zero"))

// liveOrNot is which versions of an object a rule is for: a word of Terraform's, a switch of the API's, nothing for all.
func liveOrNot(v any) (string, error) {
	switch v {
	case nil, "", "ANY":
		return "", nil
	case true, "LIVE":
		return "LIVE", nil
	case false, "ARCHIVED":
		return "ARCHIVED", nil
	}
	return "", errShape
}

// stores are kinds that keep data, and what encrypts it.
var stores = map[string]kind{
	"google_storage_bucket": {asset: "storage.googleapis.com/Bucket", name: "{name}", fields: []field{
		{want: "location", got: "location", is: fold, toward: located, severity: high},
		{want: "storage_class", got: "storageClass", is: fold, fallback: "STANDARD", severity: low},
		{want: "uniform_bucket_level_access", got: "iamConfiguration.uniformBucketLevelAccess.enabled", is: flag, toward: switched("true"), severity: high},
		{want: "public_access_prevention", got: "iamConfiguration.publicAccessPrevention", is: fold, fallback: "INHERITED", toward: switched("ENFORCED"), severity: critical},
		{want: "retention_policy.retention_period", got: "retentionPolicy.retentionPeriod", is: number, toward: atLeast, severity: high},
		{want: "retention_policy.is_locked", got: "retentionPolicy.isLocked", is: flag, toward: switched("true"), severity: high},
		{want: "versioning.enabled", got: "versioning.enabled", is: flag, toward: switched("true"), severity: medium},
		{want: "soft_delete_policy.retention_duration_seconds", got: "softDeletePolicy.retentionDurationSeconds", is: number, fallback: "604800", toward: atLeast, severity: medium},
		{want: "encryption.default_kms_key_name", got: "encryption.defaultKmsKeyName", is: link, toward: guarded, severity: high},
		{want: "logging.log_bucket", got: "logging.logBucket", is: text, toward: guarded, severity: medium},
		{want: "lifecycle_rule", got: "lifecycle.rule", is: lifecycles, severity: medium},
		{want: "requester_pays", got: "billing.requesterPays", is: flag, severity: low},
		{want: "default_event_based_hold", got: "defaultEventBasedHold", is: flag, toward: switched("true"), severity: medium},
		labelled("labels", "labels"),
	}, ignored: []string{"force_destroy", "rpo"}},
	"google_sql_database_instance": {asset: "sqladmin.googleapis.com/Instance", name: "projects/{project}/instances/{name}", fields: []field{
		{want: "database_version", got: "databaseVersion", is: text, severity: medium},
		{want: "region", got: "region", is: fold, toward: located, severity: high},
		{want: "encryption_key_name", got: "diskEncryptionConfiguration.kmsKeyName", is: link, toward: guarded, severity: high},
		{want: "settings.tier", got: "settings.tier", is: text, severity: low},
		{want: "settings.availability_type", got: "settings.availabilityType", is: fold, fallback: "ZONAL", toward: ranked("ZONAL", "REGIONAL"), severity: medium},
		{want: "settings.edition", got: "settings.edition", is: fold, fallback: "ENTERPRISE", severity: low},
		{want: "settings.activation_policy", got: "settings.activationPolicy", is: fold, fallback: "ALWAYS", severity: low},
		{want: "settings.disk_autoresize", got: "settings.storageAutoResize", is: flag, severity: low},
		{want: "settings.backup_configuration.enabled", got: "settings.backupConfiguration.enabled", is: flag, toward: switched("true"), severity: critical},
		{want: "settings.backup_configuration.point_in_time_recovery_enabled", got: "settings.backupConfiguration.pointInTimeRecoveryEnabled", is: flag, toward: switched("true"), severity: critical},
		{want: "settings.backup_configuration.binary_log_enabled", got: "settings.backupConfiguration.binaryLogEnabled", is: flag, toward: switched("true"), severity: critical},
		{want: "settings.backup_configuration.transaction_log_retention_days", got: "settings.backupConfiguration.transactionLogRetentionDays", is: number, fallback: "7", toward: atLeast, severity: high},
		{want: "settings.backup_configuration.backup_retention_settings.retained_backups", got: "settings.backupConfiguration.backupRetentionSettings.retainedBackups", is: number, fallback: "7", toward: atLeast, severity: high},
		{want: "settings.backup_configuration.backup_retention_settings.retention_unit", got: "settings.backupConfiguration.backupRetentionSettings.retentionUnit", is: fold, fallback: "COUNT", severity: medium},
		{want: "settings.backup_configuration.location", got: "settings.backupConfiguration.location", is: fold, toward: located, severity: high},
		{want: "settings.backup_configuration.start_time", got: "settings.backupConfiguration.startTime", is: text, severity: low},
		{want: "settings.ip_configuration.ipv4_enabled", got: "settings.ipConfiguration.ipv4Enabled", is: flag, toward: switched("false"), severity: critical},
		{want: "settings.ip_configuration.ssl_mode", got: "settings.ipConfiguration.sslMode", is: fold, fallback: "ALLOW_UNENCRYPTED_AND_ENCRYPTED",
			toward: ranked("ALLOW_UNENCRYPTED_AND_ENCRYPTED", "ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"), severity: critical},
		{want: "settings.ip_configuration.require_ssl", got: "settings.ipConfiguration.requireSsl", is: flag, toward: switched("true"), severity: critical},
		{want: "settings.ip_configuration.private_network", got: "settings.ipConfiguration.privateNetwork", is: link, severity: high},
		{want: "settings.ip_configuration.authorized_networks", got: "settings.ipConfiguration.authorizedNetworks", is: networksOf, toward: reach, severity: critical},
		{want: "settings.database_flags", got: "settings.databaseFlags", is: databaseFlags, severity: medium},
		{want: "settings.deletion_protection_enabled", got: "settings.deletionProtectionEnabled", is: flag, toward: switched("true"), severity: medium},
		{want: "settings.connector_enforcement", got: "settings.connectorEnforcement", is: fold, fallback: "NOT_REQUIRED", toward: ranked("NOT_REQUIRED", "REQUIRED"), severity: high},
		labelled("settings.user_labels", "settings.userLabels"),
	}, ignored: []string{"deletion_protection", "settings.version", "settings.disk_size", "connection_name", "first_ip_address", "private_ip_address", "public_ip_address", "ip_address",
		"service_account_email_address", "server_ca_cert", "available_maintenance_versions", "maintenance_version", "instance_type", "dns_name", "psc_service_attachment_link",
		"settings.disk_type", "settings.pricing_plan", "settings.disk_autoresize_limit", "settings.location_preference", "settings.effective_availability_type"}},
	"google_secret_manager_secret": {asset: "secretmanager.googleapis.com/Secret", name: "projects/{project}/secrets/{secret_id}", fields: []field{
		{want: "replication.user_managed.replicas", got: "replication.userManaged.replicas", is: replicas, severity: high},
		{want: "replication.auto.customer_managed_encryption.kms_key_name", got: "replication.automatic.customerManagedEncryption.kmsKeyName", is: link, severity: high},
		{want: "rotation.rotation_period", got: "rotation.rotationPeriod", is: seconds, toward: rotates, severity: medium},
		{want: "expire_time", got: "expireTime", is: text, severity: medium},
		{want: "version_destroy_ttl", got: "versionDestroyTtl", is: seconds, toward: atLeast, severity: medium},
		labelled("labels", "labels"),
	}, ignored: []string{"secret_id", "ttl", "rotation.next_rotation_time", "deletion_protection"}},
	"google_kms_crypto_key": {asset: "cloudkms.googleapis.com/CryptoKey", name: "{key_ring}/cryptoKeys/{name}", fields: []field{
		{want: "purpose", got: "purpose", is: fold, fallback: "ENCRYPT_DECRYPT", severity: high},
		{want: "rotation_period", got: "rotationPeriod", is: seconds, toward: rotates, severity: high},
		{want: "version_template.protection_level", got: "versionTemplate.protectionLevel", is: fold, fallback: "SOFTWARE", toward: ranked("SOFTWARE", "EXTERNAL", "HSM"), severity: high},
		{want: "version_template.algorithm", got: "versionTemplate.algorithm", is: fold, severity: high},
		{want: "destroy_scheduled_duration", got: "destroyScheduledDuration", is: seconds, fallback: "2592000", toward: atLeast, severity: high},
		labelled("labels", "labels"),
	}, ignored: []string{"key_ring", "primary", "skip_initial_version_creation"}},
}

// networksOf are the ranges a database lets in, whatever they are called.
func networksOf(v any) (string, error) {
	if none(v) {
		return "", nil
	}
	list, is := v.([]any)
	if !is {
		return "", errShape
	}
	values := make([]any, 0, len(list))
	for _, one := range list {
		value, err := at(one, "value")
		if err != nil {
			return "", err
		}
		values = append(values, value)
	}
	return prefixes(values)
}

// rotates is for how often something is changed: less often, or not at all, is looser.
func rotates(want, got string) Direction {
	switch {
	case want == "":
		return Tightened
	case got == "":
		return Loosened
	}
	return atMost(want, got)
}
