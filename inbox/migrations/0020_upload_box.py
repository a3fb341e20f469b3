import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):

    dependencies = [
        ('inbox', '0019_calls'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='upload',
            name='interaction',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='uploads', to='inbox.interaction'),
        ),
        migrations.AddField(
            model_name='upload',
            name='box',
            field=models.CharField(blank=True, db_default='', default='', max_length=64),
        ),
        migrations.AddIndex(
            model_name='upload',
            index=models.Index(condition=Q(('interaction', None)), fields=['author', 'box'], name='upload_boxed'),
        ),
        migrations.AddConstraint(
            model_name='upload',
            constraint=models.CheckConstraint(condition=Q(Q(('box', ''), ('interaction__isnull', False)), Q(('interaction__isnull', True), ~Q(('box', ''))), _connector='OR'), name='upload_in_conversation_or_box'),
        ),
    ]
