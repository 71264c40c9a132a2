-- What the engine keeps beside the histories. Made at the first run; the comment on
-- begin_change says which engine has been here.

CREATE SCHEMA IF NOT EXISTS cotenant;

-- The index of the histories: who is behind is one query however many schemas there
-- are. A namespace that is not the schema's (it was restored, or made anew) means that
-- nothing is known. Tenant 0 is public.
CREATE TABLE IF NOT EXISTS cotenant.schema_versions (
	tenant_id bigint PRIMARY KEY,
	namespace oid NOT NULL,
	digest text NOT NULL
) WITH (fillfactor = 50);

-- How far a migration has come whose statements run one by one.
CREATE TABLE IF NOT EXISTS cotenant.migration_progress (
	tenant_id bigint NOT NULL,
	namespace oid NOT NULL,
	app text NOT NULL,
	name text NOT NULL,
	done integer NOT NULL,
	begun integer NOT NULL,
	checksum text NOT NULL,
	PRIMARY KEY (tenant_id, app, name)
);

-- begin_change takes the lock of a schema, without waiting, and its version from one
-- digest to the next, which proves that the schema is there. What follows in the
-- transaction is done by the migrator role, if the schema is that role's. Its own search
-- path has its queries planned once, whatever the caller's is.
CREATE OR REPLACE FUNCTION cotenant.begin_change(tenant bigint, key bigint, schema text, digest_from text, digest_to text, role text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT pg_try_advisory_xact_lock(key) THEN
		RAISE EXCEPTION 'another program is changing the schema' USING ERRCODE = 'CT001';
	END IF;
	UPDATE cotenant.schema_versions AS v SET digest = digest_to
		WHERE v.tenant_id = tenant AND v.digest = digest_from
			AND v.namespace = (SELECT n.oid FROM pg_namespace AS n WHERE n.nspname = begin_change.schema);
	IF NOT FOUND THEN
		RAISE EXCEPTION 'the schema is not as it was when the change was planned' USING ERRCODE = 'CT002';
	END IF;
	PERFORM set_config('role', r.rolname, true)
		FROM pg_namespace AS n JOIN pg_roles AS r ON r.oid = n.nspowner WHERE n.nspname = begin_change.schema AND r.rolname = begin_change.role;
END $$;

-- end_change fails if the search path is not what it was, and with it the schema; or if
-- the schema has another name now, since what does not find a schema lands in public.
CREATE OR REPLACE FUNCTION cotenant.end_change(tenant bigint, schema text, path text, path_now text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF path_now <> path THEN
		RAISE EXCEPTION '%', path_now USING ERRCODE = 'CT003';
	END IF;
	PERFORM FROM cotenant.schema_versions AS v, pg_namespace AS n
		WHERE v.tenant_id = tenant AND n.oid = v.namespace AND n.nspname = end_change.schema;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'the schema was renamed while it was changed' USING ERRCODE = 'CT002';
	END IF;
END $$;

-- keep_history fails if the history of a schema has not the digest, which the program
-- makes in the same way: what a file may have changed is looked at behind it.
CREATE OR REPLACE FUNCTION cotenant.keep_history(schema text, digest text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	own text := format('%I.cotenant_migrations', schema);
	digest_now text;
BEGIN
	IF to_regclass(own) IS NOT NULL THEN
		EXECUTE format($sql$
			SELECT encode(substr(sha256(coalesce(string_agg(h.app || decode('00', 'hex') || h.name || decode('00', 'hex') || h.checksum || decode('0a', 'hex'), ''::bytea ORDER BY h.app, h.name), ''::bytea)), 1, 16), 'hex')
			FROM (SELECT convert_to(m.app, 'UTF8') AS app, convert_to(m.name, 'UTF8') AS name, convert_to(m.checksum, 'UTF8') AS checksum,
				m.name <> 'schema.sql' OR count(*) OVER (PARTITION BY m.app) = 1 AS counts FROM %s AS m) AS h
			WHERE h.counts$sql$, own) INTO digest_now;
	END IF;
	IF digest_now IS DISTINCT FROM digest THEN
		RAISE EXCEPTION 'the history is not what it should be' USING ERRCODE = 'CT005';
	END IF;
END $$;

-- other_role is the role that most of the tenants' schemas belong to which were created
-- first and last, if it is not the one that is named: a role that nobody logs in as, which
-- owns the histories as well, since they are made by the migrator role. NULL if there is none,
-- or the one that is named owns some.
CREATE OR REPLACE FUNCTION cotenant.other_role(role text) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH sample (namespace) AS (
		(SELECT v.namespace FROM cotenant.schema_versions AS v WHERE v.tenant_id > 0 ORDER BY v.tenant_id LIMIT 10)
		UNION (SELECT v.namespace FROM cotenant.schema_versions AS v WHERE v.tenant_id > 0 ORDER BY v.tenant_id DESC LIMIT 10)
	), owned (role, login, own) AS (
		SELECT r.rolname, r.rolcanlogin OR r.rolname = current_user,
			EXISTS (SELECT FROM pg_class AS h WHERE h.relnamespace = n.oid AND h.relname = 'cotenant_migrations' AND h.relowner = r.oid)
		FROM sample AS s JOIN pg_namespace AS n ON n.oid = s.namespace JOIN pg_roles AS r ON r.oid = n.nspowner
	)
	SELECT o.role::text FROM owned AS o WHERE NOT EXISTS (SELECT FROM owned AS m WHERE m.role = other_role.role) AND o.own AND NOT o.login
	GROUP BY 1 HAVING 2 * count(*) > (SELECT count(*) FROM owned) LIMIT 1
$$;

-- give_schema gives a schema to the migrator role, if there is one that the login may
-- become. It fails where the others belong to another one: the schema would be migrated
-- without a guard, or by a role that is not theirs.
CREATE OR REPLACE FUNCTION cotenant.give_schema(schema text, role text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	other text := cotenant.other_role(role);
BEGIN
	IF other IS NOT NULL THEN
		RAISE EXCEPTION '%', other USING ERRCODE = 'CT006';
	END IF;
	IF cotenant.may_become(role) THEN
		EXECUTE format('ALTER SCHEMA %I OWNER TO %I', schema, role);
	END IF;
END $$;

-- give_all gives a schema and what is in it to a role, for an administrator: a schema that
-- was made before the role was there, or what a hook made in it.
CREATE OR REPLACE FUNCTION cotenant.give_all(schema text, role text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	EXECUTE format('ALTER SCHEMA %I OWNER TO %I', schema, role);
	PERFORM cotenant.give_things(schema, role, NULL);
END $$;

-- give_made gives what the login made in a schema of the migrator role's to that role, but
-- for what would not do the same any more. Leaving a view may mean leaving one on it, so
-- what is left is looked at until nothing more can be given.
CREATE OR REPLACE FUNCTION cotenant.give_made(schema text, role text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM pg_namespace AS n JOIN pg_roles AS r ON r.oid = n.nspowner WHERE n.nspname = schema AND r.rolname = role) THEN
		WHILE cotenant.give_things(schema, role, session_user) > 0 LOOP
		END LOOP;
	END IF;
END $$;

-- does_as_well reports whether something in a schema does for a role all that it does for
-- its owner. Not so a function that runs as its owner, which may do anything; nor what
-- reaches, as its owner, relations that the role may use less of: a view, if it is not a
-- security_invoker, a materialized view when it is refreshed, the rules of a table.
CREATE OR REPLACE FUNCTION cotenant.does_as_well(class oid, object oid, role text) RETURNS boolean
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE class
		WHEN 'pg_proc'::regclass THEN (SELECT NOT p.prosecdef FROM pg_proc AS p WHERE p.oid = object)
		WHEN 'pg_class'::regclass THEN NOT EXISTS (
			SELECT FROM pg_class AS c JOIN pg_rewrite AS w ON w.ev_class = c.oid
			JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND NOT (d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid)
			LEFT JOIN pg_class AS used ON d.refclassid = 'pg_class'::regclass AND used.oid = d.refobjid
			WHERE c.oid = object
				AND NOT EXISTS (SELECT FROM pg_options_to_table(c.reloptions) AS o WHERE c.relkind = 'v' AND o.option_name = 'security_invoker' AND o.option_value::boolean)
				AND (c.relkind = 'm' AND d.refclassid = 'pg_proc'::regclass
					OR used.relrowsecurity AND (used.relforcerowsecurity OR NOT pg_has_role(role, used.relowner, 'USAGE'))
					OR EXISTS (SELECT FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege
						WHERE (privilege = 'SELECT' OR w.ev_type <> '1' OR pg_relation_is_updatable(c.oid, false) & 28 <> 0) -- 28: any of the others
							AND has_table_privilege(c.relowner, used.oid, privilege) AND NOT has_table_privilege(role, used.oid, privilege))))
		ELSE true
	END
$$;

-- give_things gives what is in a schema to a role, all of it or what a role made as give_made
-- has it, and returns how much that was. What belongs to an extension is left alone;
-- indexes, and the sequences of columns, go with their table.
CREATE OR REPLACE FUNCTION cotenant.give_things(schema text, role text, maker text) RETURNS integer
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	space oid := (SELECT n.oid FROM pg_namespace AS n WHERE n.nspname = schema);
	command text;
	given integer := 0;
BEGIN
	FOR command IN
		WITH members AS MATERIALIZED ( -- pg_class and pg_type have no index by schema
			SELECT d.classid, d.objid FROM pg_depend AS d WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = space
		), things (class, id, kind, owner, name) AS (
			SELECT 'pg_class'::regclass, c.oid, CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
				c.relowner, format('%I.%I', schema, c.relname)
				FROM members AS m JOIN pg_class AS c ON c.oid = m.objid WHERE m.classid = 'pg_class'::regclass AND c.relnamespace = space AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
			UNION ALL
			SELECT 'pg_proc'::regclass, p.oid, CASE p.prokind WHEN 'p' THEN 'PROCEDURE' WHEN 'a' THEN 'AGGREGATE' ELSE 'FUNCTION' END,
				p.proowner, format('%I.%I(%s)', schema, p.proname, CASE WHEN p.prokind = 'a' AND p.pronargs = 0 THEN '*' ELSE pg_get_function_identity_arguments(p.oid) END)
				FROM members AS m JOIN pg_proc AS p ON p.oid = m.objid WHERE m.classid = 'pg_proc'::regclass
			UNION ALL
			SELECT 'pg_type'::regclass, t.oid, CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, t.typowner, format('%I.%I', schema, t.typname)
				FROM members AS m JOIN pg_type AS t ON t.oid = m.objid LEFT JOIN pg_class AS c ON c.oid = t.typrelid
				WHERE m.classid = 'pg_type'::regclass AND t.typtype IN ('b', 'c', 'd', 'e', 'r') AND NOT EXISTS (SELECT FROM pg_type AS e WHERE e.typarray = t.oid) AND (c.oid IS NULL OR c.relkind = 'c')
			UNION ALL
			SELECT 'pg_operator'::regclass, o.oid, 'OPERATOR', o.oprowner,
				format('%I.%s (%s, %s)', schema, o.oprname, CASE o.oprleft WHEN 0 THEN 'NONE' ELSE format_type(o.oprleft, NULL) END, format_type(o.oprright, NULL))
				FROM members AS m JOIN pg_operator AS o ON o.oid = m.objid WHERE m.classid = 'pg_operator'::regclass
			UNION ALL
			SELECT 'pg_opclass'::regclass, o.oid, 'OPERATOR CLASS', o.opcowner, format('%I.%I USING %I', schema, o.opcname, a.amname)
				FROM members AS m JOIN pg_opclass AS o ON o.oid = m.objid JOIN pg_am AS a ON a.oid = o.opcmethod WHERE m.classid = 'pg_opclass'::regclass
			UNION ALL
			SELECT 'pg_opfamily'::regclass, o.oid, 'OPERATOR FAMILY', o.opfowner, format('%I.%I USING %I', schema, o.opfname, a.amname)
				FROM members AS m JOIN pg_opfamily AS o ON o.oid = m.objid JOIN pg_am AS a ON a.oid = o.opfmethod WHERE m.classid = 'pg_opfamily'::regclass
			UNION ALL
			SELECT 'pg_collation'::regclass, c.oid, 'COLLATION', c.collowner, format('%I.%I', schema, c.collname) FROM members AS m JOIN pg_collation AS c ON c.oid = m.objid WHERE m.classid = 'pg_collation'::regclass
			UNION ALL
			SELECT 'pg_conversion'::regclass, c.oid, 'CONVERSION', c.conowner, format('%I.%I', schema, c.conname) FROM members AS m JOIN pg_conversion AS c ON c.oid = m.objid WHERE m.classid = 'pg_conversion'::regclass
			UNION ALL
			SELECT 'pg_statistic_ext'::regclass, e.oid, 'STATISTICS', e.stxowner, format('%I.%I', schema, e.stxname) FROM members AS m JOIN pg_statistic_ext AS e ON e.oid = m.objid WHERE m.classid = 'pg_statistic_ext'::regclass
			UNION ALL
			SELECT 'pg_ts_config'::regclass, c.oid, 'TEXT SEARCH CONFIGURATION', c.cfgowner, format('%I.%I', schema, c.cfgname) FROM members AS m JOIN pg_ts_config AS c ON c.oid = m.objid WHERE m.classid = 'pg_ts_config'::regclass
			UNION ALL
			SELECT 'pg_ts_dict'::regclass, d.oid, 'TEXT SEARCH DICTIONARY', d.dictowner, format('%I.%I', schema, d.dictname) FROM members AS m JOIN pg_ts_dict AS d ON d.oid = m.objid WHERE m.classid = 'pg_ts_dict'::regclass
		)
		SELECT format('ALTER %s %s OWNER TO %I', t.kind, t.name, role) FROM things AS t JOIN pg_roles AS r ON r.oid = t.owner
		WHERE r.rolname <> role AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = t.class AND d.objid = t.id
			AND (d.deptype = 'e' OR t.kind = 'SEQUENCE' AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0))
			AND (maker IS NULL OR r.rolname = maker AND cotenant.does_as_well(t.class, t.id, role))
	LOOP
		EXECUTE command;
		given := given + 1;
	END LOOP;
	FOR command IN -- newer servers have given these along with their range, and refuse this
		SELECT format('ALTER TYPE %I.%I OWNER TO %I', schema, t.typname, role)
		FROM pg_depend AS m JOIN pg_range AS g ON g.rngtypid = m.objid JOIN pg_type AS t ON t.oid = g.rngmultitypid JOIN pg_roles AS r ON r.oid = t.typowner
		WHERE m.refclassid = 'pg_namespace'::regclass AND m.refobjid = space AND m.classid = 'pg_type'::regclass AND t.typnamespace = space AND r.rolname <> role AND (maker IS NULL OR r.rolname = maker)
			AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_type'::regclass AND d.objid = g.rngtypid AND d.deptype = 'e')
	LOOP
		EXECUTE command;
		given := given + 1;
	END LOOP;
	RETURN given;
END $$;

CREATE OR REPLACE FUNCTION cotenant.may_become(role text) RETURNS boolean
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
		RETURN false;
	ELSIF current_setting('server_version_num')::integer >= 160000 THEN
		RETURN pg_has_role(role, 'SET') AND pg_has_role(role, 'USAGE');
	END IF;
	RETURN pg_has_role(role, 'USAGE');
END $$;

-- grant_migrator lets the migrator role use what is shared, in public and in the extra
-- schemas that there are: read it, and refer to it. What is not the login's to give stays
-- out of its reach.
CREATE OR REPLACE FUNCTION cotenant.grant_migrator(role text, extra text[]) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	shared text;
BEGIN
	FOR shared IN
		SELECT n.nspname FROM pg_namespace AS n WHERE NOT has_schema_privilege(role, n.oid, 'USAGE')
			AND (n.nspname IN ('public', 'cotenant') OR n.nspname = ANY (extra) AND has_schema_privilege(n.oid, 'USAGE WITH GRANT OPTION'))
	LOOP
		EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', shared, role);
	END LOOP;
	FOR shared IN
		SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
		WHERE (n.nspname = 'public' OR n.nspname = ANY (extra)) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND pg_has_role(c.relowner, 'USAGE')
			AND NOT (has_table_privilege(role, c.oid, 'SELECT') AND has_table_privilege(role, c.oid, 'REFERENCES'))
	LOOP
		EXECUTE format('GRANT SELECT, REFERENCES ON %s TO %I', shared, role);
	END LOOP;
END $$;

-- main_versions are the digests that tell what the database has come to: that of public,
-- and the one that most have of the tenants that were created first and last.
CREATE OR REPLACE FUNCTION cotenant.main_versions() RETURNS TABLE (schema text, digest text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT n.nspname::text, v.digest FROM cotenant.schema_versions AS v JOIN pg_namespace AS n ON n.oid = v.namespace WHERE v.tenant_id = 0
	UNION ALL
	(SELECT (array_agg(s.schema ORDER BY s.id DESC))[1], s.digest FROM (
		(SELECT v.tenant_id, n.nspname::text, v.digest FROM cotenant.schema_versions AS v JOIN pg_namespace AS n ON n.oid = v.namespace
			WHERE v.tenant_id > 0 ORDER BY v.tenant_id LIMIT 10)
		UNION
		(SELECT v.tenant_id, n.nspname::text, v.digest FROM cotenant.schema_versions AS v JOIN pg_namespace AS n ON n.oid = v.namespace
			WHERE v.tenant_id > 0 ORDER BY v.tenant_id DESC LIMIT 10)
	) AS s (id, schema, digest) GROUP BY s.digest ORDER BY count(*) DESC, max(s.id) DESC LIMIT 1)
$$;

-- know_versions fails if one of them is not known.
CREATE OR REPLACE FUNCTION cotenant.know_versions(known text[]) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM cotenant.main_versions() AS v WHERE NOT CASE WHEN v.schema = 'public' THEN 'public ' ELSE '' END || v.digest = ANY (known)) THEN
		RAISE EXCEPTION 'the database has versions that have not been looked at' USING ERRCODE = 'CT004';
	END IF;
END $$;
