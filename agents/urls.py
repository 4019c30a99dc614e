from django.urls import path

from agents.views import brand, knowledge, memory

app_name = "agents"
urlpatterns = [
    path("brand", brand.brand, name="brand"),
    path("brand/claims/new", brand.claim_new, name="brand-claim-new"),
    path("brand/claims/<uuid:claim_id>", brand.claim_edit, name="brand-claim"),
    path("brand/claims/<uuid:claim_id>/delete", brand.claim_delete, name="brand-claim-delete"),
    path("brand/texts/<str:label>", brand.block_history, name="brand-history"),
    path("brand/texts/<str:label>/save", brand.block_save, name="brand-save"),
    path("brand/texts/<str:label>/lock", brand.block_lock, name="brand-lock"),
    path("brand/texts/<str:label>/restore/<int:version>", brand.block_restore, name="brand-restore"),
    path("memory", memory.item_list, name="memory"),
    path("memory/new", memory.item_new, name="memory-new"),
    path("memory/days", memory.day_list, name="memory-days"),
    path("memory/days/hour", memory.day_hour, name="memory-hour"),
    path("memory/days/start", memory.day_start, name="memory-start"),
    path("memory/days/<uuid:day_id>", memory.day_detail, name="memory-day"),
    path("memory/days/<uuid:day_id>/undo", memory.day_undo, name="memory-day-undo"),
    path("memory/items/<uuid:item_id>", memory.item_detail, name="memory-item"),
    path("memory/items/<uuid:item_id>/<str:act>", memory.item_act, name="memory-act"),
    path("knowledge", knowledge.document_list, name="knowledge"),
    path("knowledge/new", knowledge.document_new, name="knowledge-new"),
    path("knowledge/<uuid:document_id>", knowledge.document_detail, name="knowledge-document"),
    path("knowledge/<uuid:document_id>/read", knowledge.document_read, name="knowledge-read"),
    path("knowledge/<uuid:document_id>/delete", knowledge.document_delete, name="knowledge-delete"),
]
