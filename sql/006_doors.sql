-- SPDX-License-Identifier: MIT
-- Ways into the fleet: what the watcher needs to send again what a deleted or purged queue lost.

CREATE INDEX pending_sent_queue ON jobfleet.pending (queue, sent_at) WHERE state = 'sent';
