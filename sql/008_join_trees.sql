-- SPDX-License-Identifier: MIT
-- A chord whose header holds groups: how its values nest, as Celery saves it in Redis
-- (celery-taskset-meta-<id>), so that a flush does not flatten them.

ALTER TABLE jobfleet.joins ADD COLUMN tree text;	-- raw JSON of that key; null = plain order
