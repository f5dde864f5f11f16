-- Dead letters are listed by age. Those that a version of z0 found unreadable are left alone by a
-- redrive of all, until another version looks at them.
ALTER TABLE dead_letters ADD COLUMN unreadable_by TEXT;
CREATE INDEX dead_letters_by_age ON dead_letters (received_at);
