-- SPDX-License-Identifier: MIT
-- The metro of a posting's place (CBSA, delineation of 2023), by which salary figures are asked for.
-- Processing writes it into the metadata; these columns show it, so that whoever adopts a table of
-- their own needs no other rule.

ALTER TABLE public.enhanced_jobs
	ADD COLUMN IF NOT EXISTS metro text GENERATED ALWAYS AS (metadata->>'metro') STORED,
	ADD COLUMN IF NOT EXISTS cbsa text GENERATED ALWAYS AS (metadata->>'cbsa') STORED;
CREATE INDEX IF NOT EXISTS enhanced_jobs_cbsa ON public.enhanced_jobs (cbsa, soc_code) WHERE cbsa IS NOT NULL;
