"""Results as one page to read: an overview and every article, its sentences marked; for many articles an index and pages."""

from framing.report.writer import PAGE_ARTICLES, PAGE_SENTENCES, ReportWriter

__all__ = ["PAGE_ARTICLES", "PAGE_SENTENCES", "ReportWriter"]
