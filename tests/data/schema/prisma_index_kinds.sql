-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateExtension
CREATE EXTENSION IF NOT EXISTS "pg_trgm";

-- CreateExtension
CREATE EXTENSION IF NOT EXISTS "vector";

-- CreateTable
CREATE TABLE "docs" (
    "id" SERIAL NOT NULL,
    "owner_id" INTEGER NOT NULL,
    "title" VARCHAR(200) NOT NULL,
    "body" TEXT,
    "meta" JSONB NOT NULL,
    "tags" TEXT[],
    "ip" INET NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL,
    "embedding" vector(1536),

    CONSTRAINT "docs_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "docs_title_idx" ON "docs" USING HASH ("title");

-- CreateIndex
CREATE INDEX "doc_meta_path" ON "docs" USING GIN ("meta" jsonb_path_ops);

-- CreateIndex
CREATE INDEX "docs_tags_idx" ON "docs" USING GIN ("tags");

-- CreateIndex
CREATE INDEX "docs_ip_idx" ON "docs" USING GIST ("ip" inet_ops);

-- CreateIndex
CREATE INDEX "docs_at_idx" ON "docs" USING BRIN ("at");

-- CreateIndex
CREATE INDEX "doc_title_trgm" ON "docs" USING GIN ("title" gin_trgm_ops);

-- CreateIndex
CREATE INDEX "doc_title_spgist" ON "docs" USING SPGIST ("title");

-- CreateIndex
CREATE INDEX "docs_owner_id_at_idx" ON "docs"("owner_id", "at" DESC);

-- CreateIndex
CREATE INDEX "doc_partial_raw" ON "docs"("owner_id") WHERE (body IS NOT NULL);

-- CreateIndex
CREATE INDEX "doc_partial_obj" ON "docs"("owner_id") WHERE ("title" = 'x');


