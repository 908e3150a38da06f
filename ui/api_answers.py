"""What the API answers, as models for its OpenAPI document.

The answers themselves are made by `rag.wire`; a test holds the two together.
"""

from pydantic import BaseModel, ConfigDict, Field

from rag.types import State, Verdict


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SentenceBody(_Body):
    text: str
    citations: list[int] = Field(description="引用的标号")
    verdict: Verdict
    mismatches: list[str] = Field(description="与资料不符的数字、日期、单位")
    reasons: list[str] = Field(description="为何没有得到支持")


class CitationBody(_Body):
    mark: int
    document: str
    title: str
    start: int = Field(description="引文在清洗后文档中的起点")
    end: int
    quote: str = Field(description="引文")
    page: int | None
    original: str = Field(description="文件里的原始字符")
    heading: str
    source: str
    date: str
    focus: list[int] | None = Field(description="引文中回答问题的词句在文档中的起止")


class ReadingBody(_Body):
    relevance: float
    answerable: float
    spans: list[tuple[int, int, float]] = Field(description="段落内的起点、终点、概率")


class PassageBody(_Body):
    document: str
    title: str
    start: int
    end: int
    page: int | None
    heading: str
    source: str
    date: str
    score: float = Field(description="排序所依据的得分，0 到 1")
    dense: float = Field(description="向量余弦")
    keyword: float = Field(description="BM25 原始得分")
    text: str
    reading: ReadingBody | None = Field(description="阅读模型的发现")


class SearchBody(_Body):
    question: str
    passages: list[PassageBody] = Field(description="段落，最相关的在前")
    seconds: float


class EvidenceBody(_Body):
    search_question: str = Field(description="实际检索的问题")
    state: State = Field(description="已回答、不确定、资料中未找到")
    confidence: float = Field(description="资料含有答案的概率")
    span: str = Field(description="答案所在的词句")
    sentences: list[SentenceBody] = Field(description="每句话及其核对结论")
    citations: list[CitationBody] = Field(description="引用，按标号")
    hits: list[PassageBody] = Field(description="检索到的段落")
    notices: list[str] = Field(description="须一并告知使用者的提示")
    thinking: str = Field(description="推理模型的思考过程，未经核对")
    timings: dict[str, float] = Field(description="各步用时，秒")
    model: str = Field(description="回答者")
    label: str = Field(description="AI 标识，须与回答一起显示")


class AnswerBody(EvidenceBody):
    question: str
    finished: bool = Field(description="是否已是完整的最终回答")
    text: str = Field(description="回答，带 [n] 标号")
    prompt_tokens: int = Field(description="送给语言模型的词元数，摘录时为 0")
    trimmed: int = Field(description="放不进模型窗口的段落数")
    output_tokens: int = Field(description="语言模型写出的词元数")


class MessageBody(_Body):
    role: str
    content: str
    refusal: None
    yiwen: EvidenceBody = Field(description="扩展字段：状态、逐句核对结论、引用与段落")


class ChoiceBody(_Body):
    index: int
    message: MessageBody
    logprobs: None
    finish_reason: str


class UsageBody(_Body):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class CompletionBody(_Body):
    id: str
    object: str
    created: int
    model: str
    choices: list[ChoiceBody] = Field(description="只有一个；回答在 message 里")
    usage: UsageBody


class NativeError(_Body):
    code: str
    message: str
    remedy: str = Field(description="该怎么办")


class NativeErrorBody(_Body):
    error: NativeError


class OpenAIError(_Body):
    message: str
    type: str
    param: str | None
    code: str


class OpenAIErrorBody(_Body):
    error: OpenAIError
