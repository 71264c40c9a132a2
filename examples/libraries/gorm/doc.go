// Package gorm shows cotenant with gorm.io/gorm and gorm.io/driver/postgres, tried with
// 1.31.2 and 1.6.3, over Tenancy.SQL. Associations, Preload, hooks, transactions and
// TranslateError work unchanged. What to watch out for:
//
//   - A gorm.DB has no tenant until WithContext(ctx) gives it one, and fails with
//     tenant.ErrNoTenant. What WithContext returns is the tenant's: do not keep it beyond
//     the request. The generic API, gorm.G, takes ctx at each call.
//   - A transaction is its tenant's; tx.WithContext with another's ctx is refused.
//   - AutoMigrate without a tenant is refused. With one it works in that tenant's schema
//     alone, and makes the tables what the models say: where those leave out what
//     schema.sql has, it takes NOT NULL away and tries to drop UNIQUE, and of a shared table
//     it makes a copy in the tenant's schema, which hides the shared one. cotenant's record
//     of migrations learns nothing of it. It is for trying models in a scratch tenant;
//     tables come from schema.sql and migrations, for every tenant.
//   - gorm.Open pings, which needs no tenant. Do not close what db.DB() returns:
//     Tenancy.Close does.
//   - PrepareStmt works: a statement that one tenant had prepared runs in the schema of
//     whoever uses it. It is not needed, since what comes back is prepared for each tenant
//     anyway, and its cache has a goroutine that nothing ends.
//   - A model whose TableName names a schema is found there, whoever asks: public's shared
//     tables may be named so, a tenant's never.
//   - SkipDefaultTransaction saves each write the round trips of BEGIN and COMMIT.
package gorm
