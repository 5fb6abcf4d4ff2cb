-- The table of the nearest-neighbour searches (pgvector), in a database of its own.
CREATE EXTENSION IF NOT EXISTS vector;
CREATE TABLE documents (id int PRIMARY KEY, tenant_id int, embedding vector(3));
INSERT INTO documents
  SELECT g, CASE WHEN g <= 3 THEN 1 ELSE 2 + g % 40 END,
         format('[%s,%s,%s]', 1 + g::bigint * 7919 % 1009, 1 + g::bigint * 104729 % 997, 1 + g::bigint * 1299709 % 991)::vector
  FROM generate_series(1, 8000) g;
CREATE INDEX documents_embedding_hnsw ON documents USING hnsw (embedding vector_cosine_ops);
CREATE INDEX documents_tenant ON documents (tenant_id);
VACUUM ANALYZE documents;
