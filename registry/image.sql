-- Rows are compared by their image: a json or an xml column has no operator for equality.
CREATE OR REPLACE FUNCTION cotenant.tenants_changed() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		PERFORM pg_notify('cotenant_changed', 'everything');
		RETURN NULL;
	END IF;
	IF TG_OP = 'UPDATE' AND NEW *= OLD THEN
		RETURN NULL;
	END IF;
	IF TG_OP <> 'INSERT' THEN
		PERFORM pg_notify('cotenant_changed', 'tenant ' || OLD.id), pg_notify('cotenant_changed', 'schema ' || OLD.schema_name);
	END IF;
	IF TG_OP <> 'DELETE' THEN
		PERFORM pg_notify('cotenant_changed', 'tenant ' || NEW.id), pg_notify('cotenant_changed', 'schema ' || NEW.schema_name);
	END IF;
	RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION cotenant.domains_changed() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		PERFORM pg_notify('cotenant_changed', 'everything');
		RETURN NULL;
	END IF;
	IF TG_OP = 'UPDATE' AND NEW *= OLD THEN
		RETURN NULL;
	END IF;
	IF TG_OP <> 'INSERT' THEN
		PERFORM pg_notify('cotenant_changed', 'domain ' || OLD.domain);
	END IF;
	IF TG_OP <> 'DELETE' THEN
		PERFORM pg_notify('cotenant_changed', 'domain ' || NEW.domain);
	END IF;
	RETURN NULL;
END $$;
