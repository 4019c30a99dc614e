"""What an assistant knows about a workspace or a person."""

from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q

from accounts.models import User
from accounts.tenancy import TenantForeignKey, TenantModel
from agents.models.runs import Provenance
from lib.clock import now


class MemoryBlock(TenantModel):
    """A short text that is always in context: the brand's voice, its audience, one's own preferences."""

    label = models.CharField(max_length=40)
    # A person's own block; without one, the workspace's.
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    text = models.TextField(blank=True)
    char_limit = models.PositiveIntegerField(default=2_000)
    # Only people change it.
    is_read_only = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    updated_by = models.CharField(max_length=120, blank=True)
    updated_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["label"]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "user", "label"], nulls_distinct=False, name="memory_block_once"
            )
        ]

    def __str__(self) -> str:
        return self.label


class MemoryBlockVersion(TenantModel):
    """A block as it was."""

    block = TenantForeignKey(MemoryBlock, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    text = models.TextField(blank=True)
    author = models.CharField(max_length=120, blank=True)
    run_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-version"]
        constraints = [models.UniqueConstraint(fields=["workspace", "block", "version"], name="block_version_once")]


class BrandClaim(TenantModel):
    """A fact the brand may state, and what proves it."""

    text = models.CharField(max_length=300)
    source = models.CharField(max_length=500)
    language = models.CharField(max_length=12, blank=True)
    valid_until = models.DateField(null=True, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["text"]

    def __str__(self) -> str:
        return self.text


class MemoryItem(TenantModel):
    """One remembered thing, found by search. Newer knowledge supersedes it; it is not overwritten."""

    class Tier(models.TextChoices):
        PERMANENT = "permanent", "Permanent"
        DURABLE = "durable", "Durable"
        EPHEMERAL = "ephemeral", "For a while"

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        # From somebody else's words: kept for people to look at, never given to a model.
        QUARANTINED = "quarantined", "Quarantined"
        SUPERSEDED = "superseded", "Superseded"
        UNDONE = "undone", "Undone"

    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20, default="fact")
    tier = models.CharField(max_length=9, choices=Tier.choices, default=Tier.DURABLE)
    status = models.CharField(max_length=11, choices=Status.choices, default=Status.ACTIVE)
    # What it is about: the newer item on the same subject supersedes the older.
    subject = models.CharField(max_length=120, blank=True)
    text = models.TextField(max_length=2_000)
    tokens = SearchVectorField(editable=False, null=True)
    n_tokens = models.PositiveIntegerField(default=0)
    # Whether `SearchTerm` holds it; what it does not is compared one by one.
    is_indexed = models.BooleanField(default=False, editable=False)
    provenance = models.CharField(max_length=9, choices=Provenance.choices, default=Provenance.MEMBER)
    # "thread", "document", "page", "consolidation", and the id there.
    source_kind = models.CharField(max_length=20, blank=True)
    source_id = models.UUIDField(null=True)
    source_run_id = models.UUIDField(null=True)
    superseded_by = TenantForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="supersedes")
    expires_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_label = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["workspace", "user"], name="memory_item_scope"),
            models.Index(fields=["workspace", "subject"], condition=~Q(subject=""), name="memory_item_subject"),
            models.Index(fields=["workspace", "user"], condition=Q(is_indexed=False), name="memory_item_fresh"),
        ]

    def __str__(self) -> str:
        return self.text[:60]


class Tombstone(TenantModel):
    """A keyed digest of what was forgotten, so that it is not learnt again."""

    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "digest"], name="tombstone_once")]


class Document(TenantModel):
    """Uploaded or fetched knowledge, cut into chunks."""

    class Kind(models.TextChoices):
        TEXT = "text", "Text"
        MARKDOWN = "markdown", "Markdown"
        PDF = "pdf", "PDF"
        CSV = "csv", "CSV"
        WEB = "web", "Web page"

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"

    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    url = models.URLField(max_length=1_000, blank=True)
    file = models.FileField(upload_to="knowledge/", blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.WAITING)
    problem = models.CharField(max_length=200, blank=True)
    chunk_count = models.PositiveIntegerField(default=0)
    # A file that ends its worker must not be tried for ever.
    tries = models.PositiveSmallIntegerField(default=0)
    wanted_at = models.DateTimeField(default=now)
    read_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.title


class Chunk(TenantModel):
    """A citable piece of a document."""

    document = TenantForeignKey(Document, on_delete=models.CASCADE, related_name="chunks")
    n = models.PositiveIntegerField()
    heading = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    tokens = SearchVectorField(editable=False, null=True)
    n_tokens = models.PositiveIntegerField(default=0)
    is_indexed = models.BooleanField(default=False, editable=False)

    class Meta:
        ordering = ["n"]
        constraints = [models.UniqueConstraint(fields=["workspace", "document", "n"], name="chunk_once")]
        indexes = [models.Index(fields=["workspace"], condition=Q(is_indexed=False), name="chunk_fresh")]

    def __str__(self) -> str:
        return self.text[:60]


class SearchScope(TenantModel):
    """That a workspace's memory, a person's or its knowledge is so large that it has an index."""

    kind = models.CharField(max_length=5)
    # Whose memory it is; null: everybody's.
    owner = models.UUIDField(null=True)
    row_count = models.PositiveIntegerField(default=0)
    token_count = models.PositiveBigIntegerField(default=0)
    # The ids of the rows, 16 bytes each, in the order of their places.
    members = models.BinaryField(default=b"")
    updated_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "kind", "owner"], nulls_distinct=False, name="search_scope_once"
            )
        ]

    def __str__(self) -> str:
        return self.kind


class SearchTerm(TenantModel):
    """In which rows of a scope a word stands. The word itself is a keyed digest: forgotten rows leave no words here."""

    scope = TenantForeignKey(SearchScope, on_delete=models.CASCADE, related_name="terms")
    term = models.BigIntegerField()
    row_count = models.PositiveIntegerField()
    # Four bytes each, the highest first: the places of the rows, and what `agents.memory.plain` calls their entries.
    places = models.BinaryField()
    entries = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "term"], name="search_term_once")]

    def __str__(self) -> str:
        return str(self.term)


class Consolidation(TenantModel):
    """A day's tidying of memory, with what it changed."""

    day = models.DateField()
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")
    run_id = models.UUIDField(null=True)
    # [{"act": "add" | "supersede" | "expire" | "block", "id": …, "before": …, "after": …}]
    diff = models.JSONField(default=list)
    created_at = models.DateTimeField(default=now)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-day"]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "user", "day"], nulls_distinct=False, name="consolidation_once"
            )
        ]

    def __str__(self) -> str:
        return str(self.day)
