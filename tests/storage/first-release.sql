BEGIN TRANSACTION;
CREATE TABLE agents (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	token_hash TEXT, 
	token_expires_at BIGINT, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_agents PRIMARY KEY (id), 
	CONSTRAINT uq_agents_name UNIQUE (name), 
	CONSTRAINT uq_agents_token_hash UNIQUE (token_hash)
);
INSERT INTO "agents" VALUES(1,'Mia','0000000000000000000000000000000000000000000000000000000000000000',1795348835000000,1795348835000000);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE attachments (
	id INTEGER NOT NULL, 
	message_id INTEGER NOT NULL, 
	external_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	media_type TEXT NOT NULL, 
	size BIGINT NOT NULL, 
	CONSTRAINT pk_attachments PRIMARY KEY (id), 
	CONSTRAINT fk_attachments_message_id FOREIGN KEY(message_id) REFERENCES messages (id)
);
INSERT INTO "attachments" VALUES(1,5,'f1','shot.png','image/png',1234);
CREATE TABLE contact_channels (
	id INTEGER NOT NULL, 
	contact_id INTEGER, 
	conversation_id INTEGER, 
	channel TEXT NOT NULL, 
	account TEXT NOT NULL, 
	peer TEXT NOT NULL, 
	handle TEXT NOT NULL, 
	name TEXT NOT NULL, 
	unreachable TEXT, 
	CONSTRAINT pk_contact_channels PRIMARY KEY (id), 
	CONSTRAINT fk_contact_channels_contact_id FOREIGN KEY(contact_id) REFERENCES contacts (id), 
	CONSTRAINT fk_contact_channels_conversation_id FOREIGN KEY(conversation_id) REFERENCES conversations (id), 
	CONSTRAINT uq_contact_channels_channel_account_peer UNIQUE (channel, account, peer)
);
INSERT INTO "contact_channels" VALUES(1,1,1,'web','chat','ann','ann','Ann',NULL);
INSERT INTO "contact_channels" VALUES(2,2,2,'web','chat','ben','ben','Ann',NULL);
INSERT INTO "contact_channels" VALUES(3,3,3,'web','chat','cat','cat','Ann',NULL);
CREATE TABLE contacts (
	id INTEGER NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_contacts PRIMARY KEY (id)
);
INSERT INTO "contacts" VALUES(1,1795348807000000);
INSERT INTO "contacts" VALUES(2,1795348814000000);
INSERT INTO "contacts" VALUES(3,1795348835000000);
CREATE TABLE conversations (
	id INTEGER NOT NULL, 
	reference TEXT NOT NULL, 
	channel TEXT NOT NULL, 
	account TEXT NOT NULL, 
	peer TEXT NOT NULL, 
	stage TEXT NOT NULL, 
	language TEXT NOT NULL, 
	topic TEXT, 
	priority SMALLINT NOT NULL, 
	agent TEXT, 
	waiting_since BIGINT, 
	memory JSON, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	CONSTRAINT pk_conversations PRIMARY KEY (id), 
	CONSTRAINT uq_conversations_reference UNIQUE (reference)
);
INSERT INTO "conversations" VALUES(1,'IM-0001-0001','web','chat','ann','with_agent','en','human',2,'Mia',1795348807000000,'{"why": "topic human", "acknowledged_at": "2026-11-22T12:00:21+00:00"}',1795348807000000,1795348835000000);
INSERT INTO "conversations" VALUES(2,'IM-0001-0002','web','chat','ben','waiting','en','human',2,NULL,1795348814000000,'{"why": "topic human", "told_place": 2, "told_at": "2026-11-22T12:00:14+00:00"}',1795348814000000,1795348814000000);
INSERT INTO "conversations" VALUES(3,'IM-0001-0003','web','chat','cat','waiting','zh','secret-leaked',0,NULL,1795348835000000,'{"why": "a secret was shared", "told_place": 1, "told_at": "2026-11-22T12:00:35+00:00"}',1795348835000000,1795348835000000);
CREATE TABLE departures (
	id INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	CONSTRAINT pk_departures PRIMARY KEY (id)
);
INSERT INTO "departures" VALUES(1,1795348835000000);
CREATE TABLE details (
	conversation_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	chain TEXT, 
	CONSTRAINT pk_details PRIMARY KEY (conversation_id, name), 
	CONSTRAINT fk_details_conversation_id FOREIGN KEY(conversation_id) REFERENCES conversations (id)
);
INSERT INTO "details" VALUES(1,'transaction_hash','0x5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060','ethereum');
INSERT INTO "details" VALUES(1,'chain','ethereum','ethereum');
INSERT INTO "details" VALUES(1,'screenshot','attached',NULL);
CREATE TABLE errands (
	id INTEGER NOT NULL, 
	conversation_id INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	channel TEXT NOT NULL, 
	account TEXT NOT NULL, 
	peer TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	unsettled BOOLEAN DEFAULT 1 NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	not_before BIGINT, 
	reason TEXT, 
	CONSTRAINT pk_errands PRIMARY KEY (id), 
	CONSTRAINT fk_errands_conversation_id FOREIGN KEY(conversation_id) REFERENCES conversations (id), 
	CONSTRAINT uq_errands_key UNIQUE ("key")
);
INSERT INTO "errands" VALUES(1,3,'7.0','delete_upstream','web','chat','cat','c1',1,0,NULL,NULL);
CREATE TABLE events (
	id INTEGER NOT NULL, 
	conversation_id INTEGER NOT NULL, 
	channel TEXT NOT NULL, 
	account TEXT NOT NULL, 
	external_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	message_id INTEGER, 
	payload JSON, 
	at BIGINT NOT NULL, 
	pending BOOLEAN DEFAULT 1 NOT NULL, 
	outcome TEXT, 
	CONSTRAINT pk_events PRIMARY KEY (id), 
	CONSTRAINT fk_events_conversation_id FOREIGN KEY(conversation_id) REFERENCES conversations (id), 
	CONSTRAINT fk_events_message_id FOREIGN KEY(message_id) REFERENCES messages (id), 
	CONSTRAINT uq_events_channel_account_external_id UNIQUE (channel, account, external_id)
);
INSERT INTO "events" VALUES(1,1,'web','chat','a1','message',1,NULL,1795348807000000,0,'queued: a person was asked for');
INSERT INTO "events" VALUES(2,1,'desk','follow-up','1.1','place',NULL,'{"reason": "queued"}',1795348807000000,0,'told: queued');
INSERT INTO "events" VALUES(3,2,'web','chat','b1','message',3,NULL,1795348814000000,0,'queued: a person was asked for');
INSERT INTO "events" VALUES(4,2,'desk','follow-up','3.1','place',NULL,'{"reason": "queued"}',1795348814000000,0,'told: queued');
INSERT INTO "events" VALUES(5,1,'web','chat','a2','message',5,NULL,1795348821000000,0,'added, acknowledged');
INSERT INTO "events" VALUES(6,1,'web','chat','a3','edit',5,'{"id": "a2", "secret": null}',1795348828000000,0,'revised');
INSERT INTO "events" VALUES(7,3,'web','chat','c1','message',7,'{"secret": {"kind": "recovery_phrase", "certainty": "certain", "words": 12, "perhaps_a_hash": false}}',1795348835000000,0,'withheld: recovery_phrase');
INSERT INTO "events" VALUES(8,3,'desk','follow-up','7.3','place',NULL,'{"reason": "queued"}',1795348835000000,0,'told: queued');
INSERT INTO "events" VALUES(9,1,'desk','agents','k1','took',NULL,'{"agent": "Mia"}',1795348835000000,0,'taken');
INSERT INTO "events" VALUES(10,1,'desk','agents','k2','noted',NULL,'{"agent": "Mia", "text": "called the exchange"}',1795348835000000,0,'noted');
INSERT INTO "events" VALUES(11,1,'desk','agents','k3','replied',NULL,'{"agent": "Mia", "text": "We are looking into it."}',1795348835000000,0,'replied');
CREATE TABLE kept (
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_kept PRIMARY KEY (name)
);
INSERT INTO "kept" VALUES('cookie-secret','kept');
CREATE TABLE message_revisions (
	message_id INTEGER NOT NULL, 
	revision INTEGER NOT NULL, 
	text TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	CONSTRAINT pk_message_revisions PRIMARY KEY (message_id, revision), 
	CONSTRAINT fk_message_revisions_message_id FOREIGN KEY(message_id) REFERENCES messages (id)
);
INSERT INTO "message_revisions" VALUES(5,0,'https://etherscan.io/tx/0x5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060',1795348828000000);
CREATE TABLE messages (
	id INTEGER NOT NULL, 
	conversation_id INTEGER NOT NULL, 
	speaker TEXT NOT NULL, 
	author TEXT NOT NULL, 
	channel TEXT, 
	account TEXT, 
	external_id TEXT, 
	text TEXT NOT NULL, 
	secret TEXT, 
	revision INTEGER DEFAULT '0' NOT NULL, 
	sent_at BIGINT NOT NULL, 
	CONSTRAINT pk_messages PRIMARY KEY (id), 
	CONSTRAINT fk_messages_conversation_id FOREIGN KEY(conversation_id) REFERENCES conversations (id), 
	CONSTRAINT uq_messages_channel_account_external_id UNIQUE (channel, account, external_id)
);
INSERT INTO "messages" VALUES(1,1,'customer','Ann','web','chat','a1','[title human]',NULL,0,1795348807000000);
INSERT INTO "messages" VALUES(2,1,'bot','',NULL,NULL,NULL,'[queued] IM-0001-0001 1 [wait_unknown]',NULL,0,1795348807000000);
INSERT INTO "messages" VALUES(3,2,'customer','Ann','web','chat','b1','[title human]',NULL,0,1795348814000000);
INSERT INTO "messages" VALUES(4,2,'bot','',NULL,NULL,NULL,'[queued] IM-0001-0002 2 [wait_unknown]',NULL,0,1795348814000000);
INSERT INTO "messages" VALUES(5,1,'customer','Ann','web','chat','a2','see the picture, please',NULL,1,1795348821000000);
INSERT INTO "messages" VALUES(6,1,'bot','',NULL,NULL,NULL,'[message-added] IM-0001-0001',NULL,0,1795348821000000);
INSERT INTO "messages" VALUES(7,3,'customer','Ann','web','chat','c1','[recovery_phrase removed]','recovery_phrase',0,1795348835000000);
INSERT INTO "messages" VALUES(8,3,'bot','',NULL,NULL,NULL,'【secret-removed-recovery-phrase】',NULL,0,1795348835000000);
INSERT INTO "messages" VALUES(9,3,'bot','',NULL,NULL,NULL,'【queued】 IM-0001-0003 1 【wait_unknown】',NULL,0,1795348835000000);
INSERT INTO "messages" VALUES(10,1,'bot','',NULL,NULL,NULL,'[agent-joined] Mia',NULL,0,1795348835000000);
INSERT INTO "messages" VALUES(11,1,'agent','Mia',NULL,NULL,NULL,'We are looking into it.',NULL,0,1795348835000000);
INSERT INTO "messages" VALUES(12,1,'note','Mia',NULL,NULL,NULL,'called the exchange',NULL,0,1795348835000000);
CREATE TABLE outbox (
	id INTEGER NOT NULL, 
	conversation_id INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	channel TEXT NOT NULL, 
	account TEXT NOT NULL, 
	peer TEXT NOT NULL, 
	purpose TEXT NOT NULL, 
	source TEXT NOT NULL, 
	choices JSON, 
	reply_to TEXT, 
	state TEXT NOT NULL, 
	unsettled BOOLEAN DEFAULT 1 NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	not_before BIGINT, 
	created_at BIGINT NOT NULL, 
	external_id TEXT, 
	reason TEXT, 
	CONSTRAINT pk_outbox PRIMARY KEY (id), 
	CONSTRAINT fk_outbox_conversation_id FOREIGN KEY(conversation_id) REFERENCES conversations (id), 
	CONSTRAINT fk_outbox_id FOREIGN KEY(id) REFERENCES messages (id), 
	CONSTRAINT uq_outbox_key UNIQUE ("key")
);
INSERT INTO "outbox" VALUES(2,1,'2.0','web','chat','ann','notice','queued',NULL,NULL,'sent',0,1,NULL,1795348807000000,'2.0',NULL);
INSERT INTO "outbox" VALUES(4,2,'4.0','web','chat','ben','notice','queued',NULL,NULL,'sent',0,1,NULL,1795348814000000,'4.0',NULL);
INSERT INTO "outbox" VALUES(6,1,'5.0','web','chat','ann','notice','message-added',NULL,NULL,'sent',0,1,NULL,1795348821000000,'5.0',NULL);
INSERT INTO "outbox" VALUES(8,3,'7.1','web','chat','cat','warning','secret-removed-recovery-phrase',NULL,NULL,'sent',0,1,NULL,1795348835000000,'7.1',NULL);
INSERT INTO "outbox" VALUES(9,3,'8.0','web','chat','cat','notice','queued',NULL,NULL,'sent',0,1,NULL,1795348835000000,'8.0',NULL);
INSERT INTO "outbox" VALUES(10,1,'9.3','web','chat','ann','notice','agent-joined',NULL,NULL,'sent',0,1,NULL,1795348835000000,'9.3',NULL);
INSERT INTO "outbox" VALUES(11,1,'11.0','web','chat','ann','reply','Mia',NULL,NULL,'sent',0,1,NULL,1795348835000000,'11.0',NULL);
CREATE TABLE quarantine (
	id INTEGER NOT NULL, 
	channel TEXT NOT NULL, 
	account TEXT NOT NULL, 
	external_id TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	size BIGINT NOT NULL, 
	at BIGINT NOT NULL, 
	CONSTRAINT pk_quarantine PRIMARY KEY (id), 
	CONSTRAINT uq_quarantine_channel_account_external_id UNIQUE (channel, account, external_id)
);
INSERT INTO "quarantine" VALUES(1,'telegram','1','u1','not JSON',17,1795348835000000);
CREATE TABLE timers (
	conversation_id INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	due_at BIGINT NOT NULL, 
	CONSTRAINT pk_timers PRIMARY KEY (conversation_id, kind), 
	CONSTRAINT fk_timers_conversation_id FOREIGN KEY(conversation_id) REFERENCES conversations (id)
);
INSERT INTO "timers" VALUES(2,'remind',1795349714000000);
INSERT INTO "timers" VALUES(3,'remind',1795349735000000);
CREATE TABLE waiting_line (
	conversation_id INTEGER NOT NULL, 
	priority SMALLINT NOT NULL, 
	since BIGINT NOT NULL, 
	told_place INTEGER, 
	told_at BIGINT, 
	CONSTRAINT pk_waiting_line PRIMARY KEY (conversation_id), 
	CONSTRAINT fk_waiting_line_conversation_id FOREIGN KEY(conversation_id) REFERENCES conversations (id)
);
INSERT INTO "waiting_line" VALUES(2,2,1795348814000000,2,1795348814000000);
INSERT INTO "waiting_line" VALUES(3,0,1795348835000000,1,1795348835000000);
CREATE INDEX ix_conversations_stage_updated_at ON conversations (stage, updated_at);
CREATE INDEX ix_departures_at ON departures (at);
CREATE INDEX ix_contact_channels_contact_id ON contact_channels (contact_id);
CREATE INDEX ix_errands_open ON errands (channel, account, id) WHERE unsettled;
CREATE INDEX ix_messages_conversation_id_id ON messages (conversation_id, id);
CREATE INDEX ix_timers_due_at ON timers (due_at);
CREATE INDEX ix_waiting_line_order ON waiting_line (priority, since, conversation_id);
CREATE INDEX ix_attachments_message_id ON attachments (message_id);
CREATE INDEX ix_events_conversation_id_id ON events (conversation_id, id);
CREATE INDEX ix_events_pending ON events (id, conversation_id) WHERE pending;
CREATE INDEX ix_events_pending_conversation ON events (conversation_id, id) WHERE pending;
CREATE INDEX ix_outbox_conversation_id ON outbox (conversation_id);
CREATE INDEX ix_outbox_open ON outbox (channel, account, id) WHERE unsettled;
CREATE INDEX ix_outbox_open_peer ON outbox (channel, account, peer, id) WHERE unsettled;
COMMIT;
