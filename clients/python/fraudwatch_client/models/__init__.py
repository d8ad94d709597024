""" Contains all the data models used in inputs/outputs """

from .alert import Alert
from .alert_detail import AlertDetail
from .alert_detail_features_type_0 import AlertDetailFeaturesType0
from .alert_page import AlertPage
from .alert_search import AlertSearch
from .applied_default import AppliedDefault
from .broken_field import BrokenField
from .channel import Channel
from .contribution import Contribution
from .customer import Customer
from .kind import Kind
from .label import Label
from .label_report import LabelReport
from .label_report_kind import LabelReportKind
from .label_report_verdict import LabelReportVerdict
from .label_result import LabelResult
from .label_value import LabelValue
from .mode import Mode
from .model_score import ModelScore
from .outcome import Outcome
from .payment_status import PaymentStatus
from .problem import Problem
from .purchase import Purchase
from .reason import Reason
from .refund import Refund
from .refund_reason import RefundReason
from .risk import Risk
from .source import Source
from .status import Status
from .status_unavailable import StatusUnavailable
from .verdict import Verdict
from .watch_list_country import WatchListCountry

__all__ = (
    "Alert",
    "AlertDetail",
    "AlertDetailFeaturesType0",
    "AlertPage",
    "AlertSearch",
    "AppliedDefault",
    "BrokenField",
    "Channel",
    "Contribution",
    "Customer",
    "Kind",
    "Label",
    "LabelReport",
    "LabelReportKind",
    "LabelReportVerdict",
    "LabelResult",
    "LabelValue",
    "Mode",
    "ModelScore",
    "Outcome",
    "PaymentStatus",
    "Problem",
    "Purchase",
    "Reason",
    "Refund",
    "RefundReason",
    "Risk",
    "Source",
    "Status",
    "StatusUnavailable",
    "Verdict",
    "WatchListCountry",
)
