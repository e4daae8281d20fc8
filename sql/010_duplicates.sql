-- SPDX-License-Identifier: MIT
-- Near duplicates and search: what finds similar postings without reading the table.
--
-- Near keys (workers/processing/near.h) are made by processing, travel in processed_job_data and
-- stand with the posting, so that an index finds the postings that share one.
--
-- What loading owes these columns, in its one transaction:
--   near_keys        as inserted; kept on conflict, but for coalesce(j.near_keys, excluded.near_keys)
--   repost_of        as inserted; kept on conflict
--   embedding_model  goes with embedding
-- and before it inserts postings: SELECT jobfleet.retire_reposted(processing_id, from, to).

DO $$
DECLARE
	tab text;
BEGIN
	FOREACH tab IN ARRAY ARRAY['processed_job_data', 'enhanced_jobs'] LOOP
		EXECUTE format('ALTER TABLE public.%I ADD COLUMN IF NOT EXISTS near_keys bigint[], '
			'ADD COLUMN IF NOT EXISTS repost_of uuid, ADD COLUMN IF NOT EXISTS embedding_model text', tab);
		-- a vector gains little from being packed, and packing it is most of writing it
		EXECUTE format('ALTER TABLE public.%I ALTER COLUMN embedding SET STORAGE EXTERNAL', tab);
	END LOOP;
	PERFORM jobfleet.adopt_key('enhanced_jobs', 'fk_repost_of',
		'(repost_of) REFERENCES public.enhanced_jobs (id) ON DELETE SET NULL');
	PERFORM
		jobfleet.adopt_index('enhanced_jobs', 'enhanced_jobs_repost_of', 'INDEX @ (repost_of) WHERE repost_of IS NOT NULL'),
		-- no list of pending entries: every lookup would have to read it
		jobfleet.adopt_index('enhanced_jobs', 'enhanced_jobs_near', 'INDEX @ USING gin (near_keys) WITH (fastupdate = off)');
END $$;

-- A posting that is advertised again more than 7 days after it was last seen is a posting of its
-- own (repost_of names the earlier one), under the same dedupe key: the earlier one gives the key
-- up and has expired. Of two loads at once the second finds the key given up already.
CREATE FUNCTION jobfleet.retire_reposted(processing uuid, first integer, last integer)
RETURNS bigint LANGUAGE sql AS $$
	WITH retired AS (
		UPDATE public.enhanced_jobs j SET dedupe_key = j.dedupe_key || '|' || j.id,
			status = CASE j.status WHEN 'active' THEN 'expired' ELSE j.status END
		FROM public.processed_job_data p
		WHERE p.processing_id = processing AND p.job_index BETWEEN first AND last
			AND p.load_status = 'pending' AND p.repost_of = j.id
			AND j.dedupe_key = p.processed_data->>'merge_key'
		RETURNING 1)
	SELECT count(*) FROM retired
$$;

-- For each set of keys (the text form of a bigint[]) at most 8 postings that share one, those that
-- share most first. The settings keep a small or just filled table from being read whole.
CREATE FUNCTION jobfleet.near_candidates(sets text[])
RETURNS TABLE (n bigint, job_id uuid) LANGUAGE plpgsql STABLE ROWS 100
SET enable_seqscan = off SET plan_cache_mode = force_custom_plan AS $$
BEGIN
	RETURN QUERY
	SELECT s.n, c.id FROM unnest(sets) WITH ORDINALITY AS s (keys, n)
	CROSS JOIN LATERAL (
		SELECT f.id FROM (SELECT j.id, j.near_keys FROM public.enhanced_jobs j
			WHERE j.near_keys && s.keys::bigint[] LIMIT 64) f
		ORDER BY (SELECT count(*) FROM unnest(f.near_keys) k WHERE k = ANY (s.keys::bigint[])) DESC
		LIMIT 8) c;
END $$;

COMMENT ON COLUMN public.enhanced_jobs.near_keys IS 'hashes of sampled phrases with title or company and place; postings that share one may be the same';
COMMENT ON COLUMN public.enhanced_jobs.repost_of IS 'the earlier posting of the same job, last seen more than 7 days before this one was posted';
COMMENT ON COLUMN public.enhanced_jobs.embedding_model IS 'what made the embedding: model and version';
COMMENT ON COLUMN public.processed_job_data.repost_of IS 'the posting in enhanced_jobs that this one advertises again';

-- ---- search ----

-- The words of a posting in its own language, title first. PostgreSQL computes the column with the
-- row, so what a transaction wrote is found as soon as it commits.
DO $$
DECLARE
	config text := 'CASE language WHEN ''de'' THEN ''german''::regconfig WHEN ''fr'' THEN ''french''::regconfig '
		'WHEN ''es'' THEN ''spanish''::regconfig WHEN ''it'' THEN ''italian''::regconfig '
		'ELSE ''english''::regconfig END';
BEGIN
	IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'public.enhanced_jobs'::regclass
			AND attname = 'search' AND NOT attisdropped) THEN
		EXECUTE replace('ALTER TABLE public.enhanced_jobs ADD COLUMN search tsvector GENERATED ALWAYS AS ('
			'setweight(to_tsvector(@, title), ''A'') || '
			'setweight(to_tsvector(@, coalesce(company, '''') || '' '' || coalesce(location, '''')), ''B'') || '
			'setweight(to_tsvector(@, description), ''D'')) STORED', '@', config);
	END IF;
	PERFORM jobfleet.adopt_index('enhanced_jobs', 'enhanced_jobs_search', 'INDEX @ USING gin (search)');
END $$;

-- Postings for a text (as people type it: words, "a phrase", or, -not) and a vector, best first.
-- By text: of the newest 500 active ones that hold the words, the 100 of the highest rank.
-- By cosine: where the vector type is, the 100 nearest by its index too; where embeddings are
-- real[], only what the text found (without a text the newest 500), as arrays have no such index.
-- So a search costs the same however many postings hold the words.
-- Vectors of another model than the one named say nothing about each other and do not count.
-- score: 1/(60 + place by text) + 1/(60 + place by cosine), so that neither scale matters.
-- A null or empty text or embedding leaves that side out.
CREATE FUNCTION public.search_jobs(query text, query_embedding real[] DEFAULT NULL, n integer DEFAULT 10,
	model text DEFAULT NULL)
RETURNS TABLE (id uuid, title text, company text, location text, remote text, salary_annual_min numeric,
	salary_annual_max numeric, salary_currency varchar, apply_url text, posted_at timestamptz,
	text_rank real, cosine real, score double precision)
LANGUAGE plpgsql STABLE
-- each text has a plan of its own; one of stop words only is no news
SET plan_cache_mode = force_custom_plan SET client_min_messages = warning AS $$
#variable_conflict use_column
DECLARE
	by_index boolean := query_embedding IS NOT NULL AND EXISTS (SELECT FROM pg_attribute
		WHERE attrelid = 'public.enhanced_jobs'::regclass AND attname = 'embedding'
		AND format_type(atttypid, NULL) = 'vector');
	config regconfig;
	dated boolean;
	other tsquery;
	words tsquery;
	wanted text := regexp_replace(coalesce(query, ''), '(^|\s)-("[^"]*"|\S+)', ' ', 'g');
	unwanted text;
	norm double precision;
	found uuid[] := '{}';
	near uuid[] := '{}';
BEGIN
	-- most words are the same in all of them: each form is asked for once
	FOREACH config IN ARRAY ARRAY['english', 'german', 'french', 'spanish', 'italian']::regconfig[] LOOP
		other := websearch_to_tsquery(config, wanted);
		IF coalesce(numnode(words), 0) = 0 THEN
			words := other;
		ELSIF numnode(other) > 0 AND position(other::text IN words::text) = 0 THEN
			words := words || other;
		END IF;
	END LOOP;
	words := CASE WHEN numnode(words) > 0 THEN words END;
	-- what is not wanted must be missing in every language's form
	FOR unwanted IN SELECT m[2] FROM regexp_matches(coalesce(query, ''), '(^|\s)-("[^"]*"|\S+)', 'g') m LOOP
		FOREACH config IN ARRAY ARRAY['english', 'german', 'french', 'spanish', 'italian']::regconfig[] LOOP
			other := phraseto_tsquery(config, unwanted);
			words := CASE WHEN numnode(other) > 0 THEN words && !!other ELSE words END;
		END LOOP;
	END LOOP;
	IF query_embedding IS NOT NULL AND cardinality(query_embedding) <> 1536 THEN
		RAISE EXCEPTION 'the embedding has % dimensions, not 1536', cardinality(query_embedding)
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT sqrt(sum(a * a)) INTO norm FROM unnest(query_embedding) AS v (a);
	-- the index is by posted_at alone: those without it come behind, where there is room
	FOREACH dated IN ARRAY ARRAY[true, false] LOOP
		EXIT WHEN words IS NULL OR cardinality(found) >= 500;
		IF dated THEN
			found := ARRAY(SELECT j.id FROM public.enhanced_jobs j WHERE j.search @@ words
				AND j.status = 'active' AND j.posted_at IS NOT NULL ORDER BY j.posted_at DESC LIMIT 500);
		ELSE
			found := found || ARRAY(SELECT j.id FROM public.enhanced_jobs j WHERE j.search @@ words
				AND j.status = 'active' AND j.posted_at IS NULL LIMIT 500 - cardinality(found));
		END IF;
	END LOOP;
	IF words IS NOT NULL THEN
		found := ARRAY(SELECT j.id FROM public.enhanced_jobs j WHERE j.id = ANY (found)
			ORDER BY ts_rank(j.search, words) DESC, j.id LIMIT 100);
	ELSIF query_embedding IS NOT NULL AND NOT by_index THEN
		found := ARRAY(SELECT j.id FROM public.enhanced_jobs j WHERE j.status = 'active'
			AND j.posted_at IS NOT NULL ORDER BY j.posted_at DESC LIMIT 500);
	END IF;
	IF by_index THEN
		EXECUTE 'SELECT ARRAY(SELECT j.id FROM public.enhanced_jobs j WHERE j.status = ''active'' '
			'AND ($2 IS NULL OR j.embedding_model = $2) ORDER BY j.embedding <=> $1::vector LIMIT 100)'
			INTO near USING query_embedding, model;
	END IF;
	RETURN QUERY
	WITH measured AS (
		SELECT j.*, CASE WHEN words IS NOT NULL AND j.search @@ words THEN ts_rank(j.search, words) END AS t,
			CASE WHEN query_embedding IS NOT NULL AND (model IS NULL OR j.embedding_model = model) THEN
				(SELECT (sum(a * b) / nullif(sqrt(sum(a * a)) * norm, 0))::real
				FROM unnest(j.embedding::real[], query_embedding) AS v (a, b)) END AS c
		FROM public.enhanced_jobs j WHERE j.id = ANY (found || near)),
	placed AS (
		SELECT m.*, rank() OVER (ORDER BY m.t DESC NULLS LAST) AS text_place,
			rank() OVER (ORDER BY m.c DESC NULLS LAST) AS cosine_place FROM measured m)
	SELECT p.id, p.title, p.company, p.location, p.remote, p.salary_annual_min, p.salary_annual_max,
		p.salary_currency, p.apply_url, p.posted_at, p.t, p.c,
		(CASE WHEN p.t IS NULL THEN 0 ELSE 1.0 / (60 + p.text_place) END +
		CASE WHEN p.c IS NULL THEN 0 ELSE 1.0 / (60 + p.cosine_place) END)::double precision AS s
	FROM placed p ORDER BY s DESC, p.posted_at DESC NULLS LAST, p.id LIMIT greatest(n, 0);
END $$;

DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'public.enhanced_jobs'::regclass
			AND attname = 'embedding' AND format_type(atttypid, NULL) = 'vector') THEN
		PERFORM jobfleet.adopt_index('enhanced_jobs', 'enhanced_jobs_embedding',
			'INDEX @ USING hnsw (embedding vector_cosine_ops)');
	END IF;
END $$;
